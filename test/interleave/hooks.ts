/**
 * Loader hooks: modules whose URL asks for it (`?stepped=N`) are compiled to be stepped as they are loaded, with the N-th
 * mutation applied, and so are all modules of ours that they import. Each N is a module graph of its own.
 */
import { readFileSync, readdirSync } from 'node:fs'
import type { LoadHook, ResolveHook } from 'node:module'
import { type Source, compile } from './compile.ts'
import { type Mutation, mutate } from './mutate.ts'

const DIST = new URL('../../../dist/', import.meta.url)
const PROGRAMS = new URL('./programs/', import.meta.url)
/** Modules that must not know of it: what they call runs at once, and would escape the checker. */
const FOLDERS = [new URL('lane/', DIST), new URL('worker/', DIST), PROGRAMS]
const FILES = [new URL('supervisor/recovery.js', DIST), new URL('trace/rings.js', DIST)]
/** Threads and messages, which no program has; and tables of texts, which no whole worker has. */
const EXCLUDED = [
  ...['main', 'inspect', 'load', 'protocol'].map((name) => `worker/thread/${name}.js`),
  'worker/source/push.js',
  'worker/stages/output.js',
]
const TEXTS = new URL('lane/texts.js', DIST).href
const WORKER = new URL('worker/', DIST).href
const PLAIN_TEXTS = new URL('./plain-texts.js', import.meta.url).href
const TIME = new URL('time.js', DIST).href
const CLOCK = new URL('./clock.js', import.meta.url).href
/** How often a loop looks before it parks: one look is as good as many. */
const LOOKS: Mutation = {
  name: 'the loop looks once before it parks',
  file: 'worker/loop/wait.js',
  from: 'const MOST_LOOKS = 256;',
  to: 'const MOST_LOOKS = 1;',
}

let mutations: readonly Mutation[] = []
const compiled = new Map<string, ReadonlyMap<string, string>>()

export function initialize(given: { mutations: readonly Mutation[] }): void {
  mutations = given.mutations
}

export const resolve: ResolveHook = async (specifier, context, next) => {
  const query = /\?stepped=.*$/.exec(context.parentURL ?? '')?.[0]
  if (query === undefined) return next(specifier, context)
  const found = await next(specifier, { ...context, conditions: [...context.conditions, 'interleave'] })
  if (found.url === TEXTS && context.parentURL!.startsWith(WORKER)) return { ...found, url: PLAIN_TEXTS }
  if (found.url === TIME) return { ...found, url: CLOCK }
  return isSteppable(found.url) ? { ...found, url: found.url + query } : found
}

export const load: LoadHook = async (url, context, next) => {
  const [path, stepped] = url.split('?stepped=')
  if (stepped === undefined || !isSteppable(path!)) return next(url, context)
  if (!compiled.has(stepped)) compiled.set(stepped, compile(sourcesOf(Number(stepped))))
  return { format: 'module', shortCircuit: true, source: compiled.get(stepped)!.get(path!)! }
}

function isSteppable(url: string): boolean {
  return urls().includes(url)
}

let all: string[] | undefined

function urls(): readonly string[] {
  all ??= [...FOLDERS.flatMap(modulesIn), ...FILES.map(({ href }) => href)].filter(
    (url) => !EXCLUDED.some((end) => url.endsWith(end)),
  )
  return all
}

function modulesIn(folder: URL): string[] {
  return (readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => name.endsWith('.js'))
    .map((name) => new URL(name, folder).href)
}

function sourcesOf(mutation: number): Source[] {
  const sources: Source[] = urls().map((url) => ({ url, text: readFileSync(new URL(url), 'utf8') }))
  const changes = mutation === 0 ? [LOOKS] : [LOOKS, mutations[mutation - 1]!]
  return changes.reduce((changed, change) => mutate(changed, change, DIST), sources)
}
