/** As much of WebAssembly as is used here: the types of the browser, where they are defined, are not loaded. */
declare namespace WebAssembly {
  class Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module);
    readonly exports: object;
  }
  class CompileError extends Error {}
  function validate(bytes: Uint8Array): boolean;
}
