/**
 * The URL of a module that is named by its URL or by its absolute path. Anything else stays as it is, and the validation refuses it.
 * Paths are spelled as `pathToFileURL` spells them: a module with two spellings is loaded twice.
 */
export function moduleUrl(module: string | URL | undefined): string | undefined {
  if (module === undefined || typeof module !== 'string') return module?.href
  if (/^[A-Za-z]:[\\/]/.test(module)) return fileUrl(`/${module.replaceAll('\\', '/')}`)
  return module.startsWith('/') ? fileUrl(module) : module
}

/** Whether workers can import a module by this. */
export function isModuleUrl(module: string): boolean {
  return URL.canParse(module)
}

function fileUrl(path: string): string {
  return new URL(`file://${path.replaceAll(/[%\\\n\r\t?#]/g, encodeURIComponent)}`).href
}
