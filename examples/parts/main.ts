/** Runs each part of the graph beside this file as a process, until Ctrl-C: `node build/examples/parts/main.js`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { graphParts } from 'millrace/analysis'
import graph from './microservices.js'

const command = createRequire(import.meta.url)
  .resolve('millrace/package.json')
  .replace('package.json', 'dist/cli/main.js')
const module = fileURLToPath(new URL('./microservices.js', import.meta.url))

const processes = graphParts(graph).map(({ name }) => {
  const child = spawn(process.execPath, [command, 'run', module, '--part', name, '--no-api'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => console.log(`${name}: ${line}`))
  return child
})

// The first Ctrl-C drains each part, a second one stops it.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => processes.forEach((child) => child.kill(signal)))

await Promise.all(processes.map((child) => once(child, 'exit')))
