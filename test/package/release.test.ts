/** What is published, and how a release is made. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isLater, released } from '../../scripts/release.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const MOST_BYTES = 14_000_000

test('the package holds what users need, and nothing of how it is made', () => {
  const said = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1 << 26,
  })
  const parsed = JSON.parse(said) as Packed[] | Record<string, Packed>
  const [{ files, unpackedSize }] = Object.values(parsed) as [Packed]
  const paths = new Set(files.map(({ path }) => path))
  for (const path of [
    'dist/index.js',
    'dist/index.d.ts',
    'dist/cli/main.js',
    'dist/worker/thread/entry.cjs',
    'dist/page/index.html',
    'dist/sheet/sheet.js',
    'templates/common/gitignore',
    'templates/service/src/graph.ts',
    'schema/graph.schema.json',
    'docs/start.md',
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
  ])
    assert.ok(paths.has(path), path)
  const own = [...paths].filter((path) =>
    /^(?:build|test|scripts|site|node_modules)\/|\.vitepress|tsbuildinfo/.test(path),
  )
  assert.deepEqual(own, [])
  assert.ok(unpackedSize < MOST_BYTES, `${unpackedSize} bytes`)
})

interface Packed {
  readonly files: readonly { readonly path: string }[]
  readonly unpackedSize: number
}

test('a release takes what is unreleased in the changelog, and leaves room for the next', () => {
  const before = '# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [0.1.0] - 2026-01-01\n\nFirst.\n'
  assert.equal(
    released(before, '0.2.0', '2026-02-03'),
    '# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-02-03\n\n### Added\n\n- A thing.\n\n## [0.1.0] - 2026-01-01\n\nFirst.\n',
  )
  assert.throws(
    () => released('# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - x\n', '0.2.0', 'x'),
    /Nothing is unreleased/,
  )
  assert.throws(() => released('# Changelog\n', '0.2.0', 'x'), /has no/)
})

test('a release has a later version', () => {
  assert.deepEqual(
    ['0.1.1', '0.2.0', '1.0.0', '1.0.0-rc.1', '0.1.0', '0.0.9', '0.1', 'next', ''].map((each) =>
      isLater(each, '0.1.0'),
    ),
    [true, true, true, true, false, false, false, false, false],
  )
  assert.deepEqual([isLater('1.0.0', '1.0.0-rc.1'), isLater('1.0.0-rc.1', '1.0.0')], [true, false])
})
