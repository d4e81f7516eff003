/** Copies what the page of the control API is made of beside its scripts, and bundles the sheet: `node build/scripts/copy-page.js`. */
import { copyFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

const root = fileURLToPath(new URL('../../', import.meta.url))
const [from, to] = [join(root, 'src/page'), join(root, 'dist/page')]
for (const file of readdirSync(from).filter((name) => /\.(?:html|css)$/.test(name)))
  copyFileSync(join(from, file), join(to, file))

const uplot = dirname(createRequire(import.meta.url).resolve('uplot'))
for (const file of ['uPlot.iife.min.js', 'uPlot.min.css']) copyFileSync(join(uplot, file), join(to, file))

// The sheet of `millrace draw --format html` is one file: what it is made of lies in one script.
const sheet = { from: join(root, 'src/sheet'), to: join(root, 'dist/sheet') }
buildSync({
  entryPoints: [join(sheet.from, 'sheet.ts')],
  outfile: join(sheet.to, 'sheet.js'),
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2022',
  alias: { 'node:util': join(sheet.from, 'node-util.ts') },
})
for (const file of ['sheet.html', 'sheet.css']) copyFileSync(join(sheet.from, file), join(sheet.to, file))
