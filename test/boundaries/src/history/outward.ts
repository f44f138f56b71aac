export { depth } from "../cli/main.ts";
