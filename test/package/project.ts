/** Projects as users have them: the package as it is published, tools of the registry, and a few files, in a folder of their own. */
import { execFile, execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
/** Sources of the project: they are compiled, bundled and run by the tools, never by this repository's own build. */
const FILES = join(ROOT, 'test/package/project')
const RUN_MS = 120_000
const INSTALL_MS = 600_000

/** What a program has printed, and how it ended. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** A project, or why there is none. */
export interface Project {
  readonly folder: string
  /** For tests: the reason to skip them. */
  readonly skip: string | false
  /** Runs a command in the folder; the project's own tools go by their names. */
  run(command: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ran>
}

/**
 * Installs tools beside the package. It takes up to a minute, so it is done only if it is asked for: by `npm run test:tools`.
 * @param manifest what else `package.json` says
 */
export function project(tools: readonly string[], manifest: object = {}): Project {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-project-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(FILES, folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', ...manifest }))
  return { folder, skip: whyNot(folder, tools), run: (command, args, env) => runIn(folder, command, args, env) }
}

function whyNot(folder: string, tools: readonly string[]): string | false {
  if (process.env['MILLRACE_TOOLS'] === undefined) return 'installs tools: `npm run test:tools` runs it'
  const options = { timeout: INSTALL_MS, stdio: 'pipe' } as const
  execFileSync(process.execPath, [join(ROOT, 'build/scripts/bundle.js'), '--pack', folder], options)
  const packed = readdirSync(folder).find((name) => name.endsWith('.tgz'))!
  try {
    const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
    execFileSync('npm', ['install', ...quiet, `./${packed}`, ...tools], { cwd: folder, ...options })
    return false
  } catch (error) {
    const said = String((error as { stderr?: unknown }).stderr)
    if (/E(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|NETUNREACH)/.test(said))
      return 'npm cannot reach its registry'
    throw error
  }
}

async function runIn(
  cwd: string,
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const path = `${join(cwd, 'node_modules/.bin')}:${process.env['PATH']}`
  // A test runner that is started by a test must not take itself for a part of it.
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...own } = process.env
  try {
    const { stdout, stderr } = await promisify(execFile)(command, [...args], {
      cwd,
      env: { ...own, ...env, PATH: path, NO_COLOR: '1' },
      timeout: RUN_MS,
      killSignal: 'SIGKILL',
    })
    return { code: 0, out: stdout, err: stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: number; stdout?: string; stderr?: string }
    return { code: typeof code === 'number' ? code : -1, out: stdout ?? '', err: stderr ?? String(error) }
  }
}
