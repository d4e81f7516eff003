/**
 * Runs the built tests on every supported version of Node: `npm run test:matrix -- [VERSION ...] [--tests PATH]`. The npm
 * package `node` brings the binaries, once, into `build/node`.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const VERSIONS: readonly string[] = ['20', '22', '24', '26']

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { tests: { type: 'string', multiple: true, default: [] } },
})

const failed: string[] = []
for (const version of positionals.length > 0 ? positionals : VERSIONS) {
  const node = install(version)
  const found = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
  console.log(`\nNode ${found}`)
  const script = fileURLToPath(new URL('test.js', import.meta.url))
  const { status } = spawnSync(node, [script, ...values.tests], { stdio: 'inherit' })
  if (status !== 0) failed.push(found)
}
console.log(failed.length === 0 ? '\nAll versions pass.' : `\nFailed on Node ${failed.join(', ')}.`)
process.exitCode = failed.length === 0 ? 0 : 1

/** The path of the binary. */
function install(version: string): string {
  const folder = fileURLToPath(new URL(`../node/${version}/`, import.meta.url))
  const binary = `${folder}node_modules/node/bin/node`
  if (existsSync(binary)) return binary
  mkdirSync(folder, { recursive: true })
  // A package of its own: npm would otherwise add the dependency to the one above.
  writeFileSync(`${folder}package.json`, '{ "private": true }')
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--no-save', `node@${version}`], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return binary
}
