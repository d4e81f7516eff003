import { Type } from 'typebox'
import { MillraceError } from '../../errors.ts'
import { endpoint, type Endpoint, examplesOf } from '../endpoint.ts'

const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T, description?: string) =>
  Type.Union([schema, Type.Null()], description === undefined ? {} : { description })

export const ImportKindView = Type.Object(
  {
    name: Type.String(),
    table: Nullable(Type.String(), 'With its schema; null until one is made.'),
    isPaused: Type.Boolean({ description: 'Paused: only runs of this kind import its files.' }),
    files: Type.Number(),
    rows: Type.Number({ description: 'Rows in the table.' }),
    deadLetters: Type.Number(),
    lastRead: Nullable(Type.String(), 'When a run last read a file of it, ISO 8601.'),
    failed: Type.Number({ description: 'Files that failed in that run.' }),
    message: Nullable(Type.String(), 'Why the first of them failed.'),
    schemaChanges: Type.Number({ description: 'Columns that were added, removed or changed in that run.' }),
  },
  {
    examples: [
      {
        name: 'orders',
        table: 'erp.orders',
        isPaused: false,
        files: 3,
        rows: 12_000,
        deadLetters: 2,
        lastRead: '2026-11-27T03:15:00.000Z',
        failed: 0,
        message: null,
        schemaChanges: 1,
      },
    ],
  },
)
export type ImportKindView = Type.Static<typeof ImportKindView>

export const ImportRunView = Type.Object(
  {
    id: Type.Number(),
    started: Type.String({ description: 'ISO 8601.' }),
    finished: Nullable(Type.String()),
    outcome: Type.Enum(['imported', 'failed', 'interrupted', 'open']),
    message: Nullable(Type.String(), 'What stopped it.'),
    imported: Type.Number({ description: 'Files that were read and imported.' }),
    unchanged: Type.Number(),
    failed: Type.Number(),
    rows: Type.Number(),
    deadLetters: Type.Number(),
    schemaChanges: Type.Number(),
  },
  {
    examples: [
      {
        id: 7,
        started: '2026-11-27T03:15:00.000Z',
        finished: '2026-11-27T03:15:09.000Z',
        outcome: 'imported',
        message: null,
        imported: 3,
        unchanged: 40,
        failed: 0,
        rows: 12_000,
        deadLetters: 2,
        schemaChanges: 1,
      },
    ],
  },
)
export type ImportRunView = Type.Static<typeof ImportRunView>

const ImportProgress = Type.Object({
  phase: Type.Enum(['looking', 'opening', 'importing']),
  files: Type.Number({ description: 'Files found so far; in the phase `importing`, the files to read.' }),
  endedFiles: Type.Number(),
  bytes: Type.Number(),
  loadedBytes: Type.Number(),
  rows: Type.Number(),
  leftMs: Nullable(Type.Number(), 'Estimated time left, in milliseconds; null if it is unknown.'),
})

export const ImportView = Type.Object(
  {
    name: Type.String(),
    directory: Type.String(),
    state: Type.Enum(['waiting', 'running', 'paused', 'closed']),
    nextRun: Nullable(Type.String(), 'ISO 8601; null if none is due.'),
    progress: Nullable(ImportProgress, 'Of the run that is under way.'),
    problem: Nullable(Type.String(), 'What ended the last run before it began.'),
    kinds: Type.Array(ImportKindView),
    runs: Type.Array(ImportRunView, { description: 'The last ones, newest first.' }),
  },
  {
    examples: [
      {
        name: 'erp',
        directory: '/srv/erp',
        state: 'waiting',
        nextRun: '2026-11-28T03:15:00.000Z',
        progress: null,
        problem: null,
        kinds: examplesOf(ImportKindView),
        runs: examplesOf(ImportRunView),
      },
    ],
  },
)
export type ImportView = Type.Static<typeof ImportView>

export const ImportList = Type.Object(
  { imports: Type.Array(ImportView) },
  { examples: [{ imports: examplesOf(ImportView) }] },
)
export type ImportList = Type.Static<typeof ImportList>

const ForKind = Type.Object(
  { kind: Type.Optional(Type.String({ description: 'Only this kind. Default: all kinds.' })) },
  { additionalProperties: false, examples: [{ kind: 'orders' }] },
)

/** An import that serves: an `ImportService` of `millrace/import` is one. */
export interface ServedImport {
  readonly view: Omit<ImportView, 'name' | 'kinds' | 'runs'> & {
    readonly kinds: readonly ImportKindView[]
    readonly runs: readonly ImportRunView[]
  }
  /** False where there is no such kind, as below. */
  run(kind?: string): boolean
  pause(kind?: string): boolean
  resume(kind?: string): boolean
}

/** Imports by the names that they have in the API. */
export type Imports = Readonly<Record<string, ServedImport>>

const viewOf = (name: string, { view }: ServedImport): ImportView => ({
  ...view,
  name,
  kinds: [...view.kinds],
  runs: [...view.runs],
})

const COMMANDS = {
  run: 'Imports now, or behind the run that is under way; paused or not.',
  pause: 'Makes no run by itself; of a kind: leaves it out of every run. A run that is under way goes on.',
  resume: 'Takes a pause back.',
} as const

export function imports(given: Imports): readonly Endpoint[] {
  const list = new Map(Object.entries(given))
  const found = (name: string): ServedImport => {
    const served = list.get(name)
    if (served === undefined) throw new MillraceError('IMPORT_UNKNOWN', { import: name })
    return served
  }
  return [
    endpoint('GET /imports', {
      tag: 'imports',
      summary: 'Lists running import services, with their kinds and last runs.',
      answer: ImportList,
      handle: () => ({ imports: [...list].map(([name, served]) => viewOf(name, served)) }),
    }),
    ...(['run', 'pause', 'resume'] as const).map((command) =>
      endpoint(`POST /imports/:import/${command}`, {
        tag: 'imports',
        summary: COMMANDS[command],
        params: { import: Type.String({ description: 'Name of the import.', examples: ['erp'] }) },
        body: ForKind,
        answer: ImportView,
        status: command === 'run' ? 202 : 200,
        errors: ['IMPORT_UNKNOWN'],
        handle: ({ params, body: { kind } }) => {
          const served = found(params.import)
          if (!served[command](kind)) throw new MillraceError('IMPORT_UNKNOWN', { import: params.import, kind })
          return viewOf(params.import, served)
        },
      }),
    ),
  ]
}
