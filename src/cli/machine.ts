import { arch, availableParallelism, cpus, platform, release } from "node:os";

/** The machine and the software a result was made with; no host name, no user. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly system: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** Describes this process's machine. */
export function describeMachine(versions: Readonly<Record<string, string>>): Machine {
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() || arch(),
    system: `${platform()} ${release().split(".").slice(0, 2).join(".")} ${arch()}`,
    versions: { node: process.versions.node, ...versions },
  };
}
