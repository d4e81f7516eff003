import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { MillraceError } from '../errors.ts'

/**
 * The URL of the module that all workers import first: a URL, a path beside the graph's module, or a package that is installed there.
 * Without a module of the graph, beside the current folder. @throws MODULE_NOT_LOADED
 */
export function workerModuleUrl(given: string | undefined, module: string | undefined): string | undefined {
  if (given === undefined) return undefined
  const from = module ?? pathToFileURL(`${process.cwd()}/`).href
  if (/^\.{0,2}\//.test(given)) return new URL(given, from).href
  if (/^[a-z][a-z\d+.-]+:/i.test(given)) return given
  try {
    return pathToFileURL(createRequire(from).resolve(given)).href
  } catch (cause) {
    throw new MillraceError('MODULE_NOT_LOADED', { module: given, reason: String(cause) }, { cause })
  }
}
