import { readFileSync } from 'node:fs'

const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')

/** The version of this library that this thread has loaded. A newer one may lie on the disk by now. */
export const LIBRARY_VERSION: string = (JSON.parse(manifest) as { version: string }).version
