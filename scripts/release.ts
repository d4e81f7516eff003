/**
 * Makes a release: `npm run release -- 1.2.0` (`--dry` prints what would change). The version goes to where it is written, what is under
 * "Unreleased" in the changelog goes under the version, and both are committed and tagged. Nothing is published: that is what a
 * workflow does with the tag, by `npm publish --provenance`, which npm allows only where a build can prove who made it.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const UNRELEASED = '## [Unreleased]'
const VERSION = /^(\d+)\.(\d+)\.(\d+)(-[a-z]+\.\d+)?$/

/** The changelog with what is unreleased under a version. @throws where nothing is */
export function released(changelog: string, version: string, day: string): string {
  const at = changelog.indexOf(UNRELEASED)
  if (at < 0) throw new Error(`The changelog has no "${UNRELEASED}".`)
  const rest = changelog.slice(at + UNRELEASED.length)
  const next = rest.search(/^## /m)
  const own = (next < 0 ? rest : rest.slice(0, next)).trim()
  if (own === '') throw new Error('Nothing is unreleased: the changelog says so.')
  const older = next < 0 ? '' : `\n${rest.slice(next)}`
  return `${changelog.slice(0, at)}${UNRELEASED}\n\n## [${version}] - ${day}\n\n${own}\n${older}`
}

/** Whether a version is one, and a later one than another. A release comes after its own candidates. */
export function isLater(version: string, than: string): boolean {
  const [a, b] = [VERSION.exec(version), VERSION.exec(than)]
  if (a === null || b === null) return false
  for (let part = 1; part <= 3; part++) {
    const difference = Number(a[part]) - Number(b[part])
    if (difference !== 0) return difference > 0
  }
  return a[4] === undefined ? b[4] !== undefined : b[4] !== undefined && a[4] > b[4]
}

function release(version: string, isDry: boolean): void {
  const manifest = readFileSync(`${ROOT}package.json`, 'utf8')
  const { version: before } = JSON.parse(manifest) as { version: string }
  if (!isLater(version, before)) throw new Error(`${version} is no version later than ${before}.`)
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim()
  if (!isDry && git('status', '--porcelain') !== '')
    throw new Error('Commit first: a release is made of what is committed.')
  const day = new Date().toISOString().slice(0, 10)
  const versioned = (text: string): string => text.replace(`'${before}'`, `'${version}'`)
  const files: Readonly<Record<string, string>> = {
    'package.json': manifest.replace(`"version": "${before}"`, `"version": "${version}"`),
    'package-lock.json': readFileSync(`${ROOT}package-lock.json`, 'utf8').replaceAll(
      new RegExp(`("name": "millrace",\\n\\s*"version": ")${before.replaceAll('.', String.raw`\.`)}`, 'g'),
      `$1${version}`,
    ),
    'src/version.ts': versioned(readFileSync(`${ROOT}src/version.ts`, 'utf8')),
    'CHANGELOG.md': released(readFileSync(`${ROOT}CHANGELOG.md`, 'utf8'), version, day),
  }
  for (const [file, text] of Object.entries(files)) {
    console.log(`${isDry ? 'would write' : 'wrote'} ${file}`)
    if (!isDry) writeFileSync(ROOT + file, text)
  }
  if (isDry) return
  git('commit', '-q', '-a', '-m', version)
  git('tag', '-a', `v${version}`, '-m', version)
  console.log(`Tagged v${version}. Run the tests, then: git push --follow-tags`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const version = process.argv.slice(2).find((argument) => !argument.startsWith('--'))
  release(version ?? '', process.argv.includes('--dry'))
}
