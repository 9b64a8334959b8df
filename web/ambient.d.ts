/// <reference types="next" />
/// <reference types="next/image-types/global" />

declare module '*.css';

/** Inlined by next.config.ts at build time. */
declare namespace NodeJS {
  interface ProcessEnv {
    readonly FAIRLEAD_VERSION?: string;
    readonly FAIRLEAD_CRASH?: string;
  }
}
