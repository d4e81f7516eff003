/** Compiles a function body; `given` are the names that it sees beside the globals. The only place that makes code. */
export function compile(source, given = {}) {
  // oxlint-disable-next-line typescript/no-implied-eval -- the sources are made here, of quoted names and numbers only
  return new Function(...Object.keys(given), source)(...Object.values(given))
}
/** Whether this process may compile code from strings. Where not, the codecs work without, slower. */
export const canCompile = (() => {
  try {
    return compile('return true') === true
  } catch {
    return false
  }
})()
