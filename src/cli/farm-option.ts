import { arch, platform } from "node:os";
import { Option } from "commander";
import { packageVersions } from "./package-versions.ts";

/** `--farm`: a PostgreSQL database at which several machines train models; its address may hold a password, so that the environment can give it too. */
export function farmOption(description: string): Option {
  return new Option("--farm <url>", `${description}: postgres://USER@HOST/DATABASE`).env("LETHE_FARM");
}

/** What has to be the same on all machines of a farm for their models to differ by nothing but their data and seeds. */
export function farmEngine(): string {
  return `onnxruntime-node ${packageVersions()["onnxruntime-node"]}, ${platform()} ${arch()}`;
}
