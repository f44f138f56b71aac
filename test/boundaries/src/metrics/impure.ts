import { readFileSync } from "node:fs";

export const now = () => Date.now() + Math.random() + readFileSync.length;
export const log = () => console.log(process.argv, performance.now(), fetch);
