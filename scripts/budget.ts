/**
 * Measures what an installation costs against its budget: `npm run budget`. The package is packed and installed into an empty project, and
 * loaded in fresh processes, one after the other. A time is the least of them: what the machine does beside is none of ours.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

interface Budget {
  readonly what: string
  readonly most: number
  readonly unit: 'MB' | 'ms'
  readonly measure: (project: string) => number
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const RUNS = 15

const BUDGETS: readonly Budget[] = [
  {
    what: 'install, all dependencies',
    most: 15,
    unit: 'MB',
    measure: (project) => bytesOf(join(project, 'node_modules')) / 1e6,
  },
  { what: 'load millrace', most: 40, unit: 'ms', measure: (project) => loadMs(project, 'millrace') },
  {
    what: 'load the entry of a worker',
    most: 25,
    unit: 'ms',
    measure: (project) => loadMs(project, entryOf(project)),
  },
]

/** An empty project with the package as it would be published. */
function installed(): string {
  const project = mkdtempSync(join(tmpdir(), 'millrace-budget-'))
  const options = { cwd: project, stdio: 'pipe', encoding: 'utf8' } as const
  const bundle = join(ROOT, 'build/scripts/bundle.js')
  const packed = execFileSync(process.execPath, [bundle, '--pack', project], options).trim()
  writeFileSync(join(project, 'package.json'), '{"private":true,"type":"module"}')
  execFileSync('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${packed}`], options)
  return project
}

function bytesOf(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
}

/** What each worker loads before it asks for its graph. */
function entryOf(project: string): string {
  return pathToFileURL(join(project, 'node_modules/millrace/dist/worker/thread/main.js')).href
}

function loadMs(project: string, module: string): number {
  const code = `const start = performance.now()
    await import(${JSON.stringify(module)})
    console.log(performance.now() - start)
    process.exit()`
  const times = Array.from({ length: RUNS }, () =>
    Number(execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: project, encoding: 'utf8' })),
  )
  return Math.min(...times)
}

const project = installed()
try {
  const over = BUDGETS.filter(({ what, most, unit, measure }) => {
    const value = measure(project)
    console.log(`${value > most ? 'over ' : 'within'}  ${what}: ${value.toFixed(1)} ${unit} of ${most} ${unit}`)
    return value > most
  })
  process.exitCode = over.length === 0 ? 0 : 1
} finally {
  rmSync(project, { recursive: true })
}
