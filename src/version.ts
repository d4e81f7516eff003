/**
 * The version of this library that this thread has loaded; a newer one may lie on the disk by now. Written here, and not read from
 * `package.json`, which a bundle does not have beside it; `test/contract/package.test.ts` compares the two.
 */
export const LIBRARY_VERSION = '0.1.0'
