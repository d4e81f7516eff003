/** Copies what the page of the control API is made of beside its scripts: `node build/scripts/copy-page.js`. */
import { copyFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const [from, to] = [join(root, 'src/page'), join(root, 'dist/page')]
for (const file of readdirSync(from).filter((name) => /\.(?:html|css)$/.test(name)))
  copyFileSync(join(from, file), join(to, file))

const uplot = dirname(createRequire(import.meta.url).resolve('uplot'))
for (const file of ['uPlot.iife.min.js', 'uPlot.min.css']) copyFileSync(join(uplot, file), join(to, file))
