var __rewriteRelativeImportExtension =
  (this && this.__rewriteRelativeImportExtension) ||
  function (path, preserveJsx) {
    if (typeof path === 'string' && /^\.\.?\//.test(path)) {
      return path.replace(/\.(tsx)$|((?:\.d)?)((?:\.[^./]+?)?)\.([cm]?)ts$/i, function (m, tsx, d, ext, cm) {
        return tsx ? (preserveJsx ? '.jsx' : '.js') : d && (!ext || !cm) ? m : d + ext + '.' + cm.toLowerCase() + 'js'
      })
    }
    return path
  }
import { MillraceError } from '../errors.js'
const native = (url) => import(__rewriteRelativeImportExtension(url))
/** Loaders of TypeScript modules: both are the user's own, so they are looked up from the user's module. */
const LOADERS = {
  native: async () => native,
  tsx: async (from) => {
    const { tsImport } = await native(await find('tsx/esm/api', from))
    return (url) => tsImport(url, from)
  },
  jiti: async (from) => {
    const { createJiti } = await native(await find('jiti', from))
    const jiti = createJiti(from)
    return (url) => jiti.import(url)
  },
}
async function find(name, from) {
  const { createRequire } = await import('node:module')
  const { pathToFileURL } = await import('node:url')
  return pathToFileURL(createRequire(from).resolve(name)).href
}
/**
 * Imports a user's module. JavaScript needs no loader; TypeScript takes what Node itself can do, else the user's own `tsx`,
 * else their `jiti` (option `loader: 'auto'`).
 * @throws MODULE_NOT_LOADED with the module and the reason
 */
export async function importModule(url, loader) {
  if (!/\.[cm]?tsx?$/.test(new URL(url).pathname)) return attempt(url, native)
  if (loader !== 'auto') {
    const known = LOADERS[loader]
    const load = known === undefined ? (await attempt(loader, native))['load'] : await known(url)
    return attempt(url, load)
  }
  if (process.features.typescript) return attempt(url, native)
  for (const name of ['tsx', 'jiti']) {
    const load = await LOADERS[name](url).catch(() => undefined)
    if (load !== undefined) return attempt(url, load)
  }
  const reason = `this Node (${process.version}) loads no TypeScript, and neither tsx nor jiti is installed beside the module`
  throw new MillraceError('MODULE_NOT_LOADED', { module: url, reason })
}
/** Modules that this thread is loading for a worker. */
let loading = 0
/** Whether a module that exports a graph is just being loaded by a worker: then nothing may be run. */
export function isLoadingGraph() {
  return loading > 0
}
async function attempt(url, load) {
  loading++
  try {
    return await load(url)
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
    throw new MillraceError('MODULE_NOT_LOADED', { module: url, reason }, { cause })
  } finally {
    loading--
  }
}
/**
 * Finds a graph among the exports of its module, by name.
 * @throws MODULE_NOT_LOADED, GRAPH_NOT_EXPORTED
 */
export async function importGraph(url, name, loader) {
  const exports = await importModule(url, loader)
  const graphs = Object.values(exports).filter(isGraph)
  const found = graphs.find((graph) => graph.name === name)
  if (found !== undefined) return found
  throw new MillraceError('GRAPH_NOT_EXPORTED', {
    module: url,
    graph: name,
    exported: graphs.map((graph) => graph.name),
  })
}
/** A graph that a module exports may come of another copy of this library; so it is told by its parts. */
export function isGraph(value) {
  if (typeof value !== 'object' || value === null) return false
  const { name, nodes, edges, clusters } = value
  return typeof name === 'string' && Array.isArray(nodes) && Array.isArray(edges) && Array.isArray(clusters)
}
