import { MillraceError } from '../../errors.ts'

type Import = (url: string) => Promise<Record<string, unknown>>

// Bundlers must not look for what is known only when it runs.
const native: Import = (url) =>
  import(/* webpackIgnore: true */ /* @vite-ignore */ url) as Promise<Record<string, unknown>>

/** Loaders of TypeScript modules: both are the user's own, so they are looked up from the user's module. */
const LOADERS: Readonly<Record<string, (from: string) => Promise<Import>>> = {
  native: async () => native,
  tsx: async (from) => {
    const { tsImport } = (await native(await find('tsx', './esm/api', from))) as {
      tsImport: (url: string, from: string) => Promise<unknown>
    }
    return (url) => tsImport(url, from) as Promise<Record<string, unknown>>
  },
  jiti: async (from) => {
    const { createJiti } = (await native(await find('jiti', '.', from))) as {
      createJiti: (from: string) => { import: Import }
    }
    const jiti = createJiti(from)
    return (url) => jiti.import(url)
  },
  // Its loader of ES modules comes into threads by itself; its hook of `require` does not.
  'ts-node': async (from) => {
    const { createRequire } = await import('node:module')
    const { fileURLToPath } = await import('node:url')
    const require = createRequire(from)
    const { register } = require('ts-node') as { register: (options: object) => void }
    return async (url) => {
      try {
        return await native(url)
      } catch (error) {
        if ((error as { code?: string }).code !== 'ERR_UNKNOWN_FILE_EXTENSION') throw error
        register({ transpileOnly: true })
        return require(fileURLToPath(url)) as Record<string, unknown>
      }
    }
  },
}

/** The file that `import` in the user's module would find. `require` finds another one, and tsx's does not load. */
async function find(name: string, entry: string, from: string): Promise<string> {
  const { createRequire } = await import('node:module')
  const { readFile } = await import('node:fs/promises')
  const { pathToFileURL } = await import('node:url')
  const manifest = createRequire(from).resolve(`${name}/package.json`)
  const { exports } = JSON.parse(await readFile(manifest, 'utf8')) as {
    exports: Record<string, { import: { default: string } }>
  }
  return new URL(exports[entry]!.import.default, pathToFileURL(manifest)).href
}

/**
 * Imports a user's module. JavaScript needs no loader; TypeScript takes what Node itself can do, else the user's own `tsx`,
 * else their `jiti` or `ts-node` (option `loader: 'auto'`).
 * @throws MODULE_NOT_LOADED with the module and the reason
 */
export async function importModule(given: string, loader: string): Promise<Record<string, unknown>> {
  const url = withoutNamespace(given)
  if (!/\.[cm]?tsx?$/.test(new URL(url).pathname)) return attempt(url, native)
  if (loader !== 'auto') {
    const known = LOADERS[loader]
    const load = known === undefined ? ((await attempt(loader, native))['load'] as Import) : await known(url)
    return attempt(url, load)
  }
  if ((process.features as { typescript?: unknown }).typescript) return attempt(url, native)
  for (const name of ['tsx', 'jiti', 'ts-node']) {
    const load = await LOADERS[name]!(url).catch(() => undefined)
    if (load !== undefined) return attempt(url, load)
  }
  const reason = `this Node (${process.version}) loads no TypeScript, and none of tsx, jiti and ts-node is installed beside the module`
  throw new MillraceError('MODULE_NOT_LOADED', { module: url, reason })
}

/** A module that tsx has loaded for somebody in another thread says so in its URL, and tsx would take it for that one's. */
function withoutNamespace(url: string): string {
  return url.replace(/([?&])tsx-namespace=[^&#]*&?/, '$1').replace(/[?&]$/, '')
}

async function attempt(url: string, load: Import): Promise<Record<string, unknown>> {
  try {
    return await load(url)
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
    throw new MillraceError('MODULE_NOT_LOADED', { module: url, reason }, { cause })
  }
}
