/**
 * Rehearses random graphs with random options and holds them against what is predicted:
 * `npm run rehearse:random -- [--seed FIRST] [--seeds COUNT] [--seconds S] [--wide] [--burn]`. With `--wide` chains get further
 * sources, branches, buffers that drop, keys, and windows near what the stages take. With `--burn` some stages burn cores: for
 * a machine that does nothing else. Exits with 1 where a graph does not run as predicted, twice.
 */
import { parseArgs } from 'node:util'
import { randomGraph } from '../test/rehearse/random-graphs.js'
import { wideGraph } from '../test/rehearse/wide-graphs.js'
import { BURNING, complaintOf, WAITING } from '../test/rehearse/random.js'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '10' },
    wide: { type: 'boolean', default: false },
    burn: { type: 'boolean', default: false },
  },
})
const [first, count, seconds] = [Number(values.seed), Number(values.seeds), Number(values.seconds)]
let wrong = 0
for (let seed = first; seed < first + count; seed++) {
  const graph = (values.wide ? wideGraph : randomGraph)(seed, values.burn)
  const tolerance = values.burn ? BURNING : WAITING
  const complaint = (await complaintOf(graph, seconds, tolerance)) && (await complaintOf(graph, 2 * seconds, tolerance))
  if (complaint !== undefined) wrong++
  console.log(complaint ?? `${graph.name}: as predicted`)
}
console.log(`${count - wrong} of ${count} as predicted`)
process.exitCode = wrong > 0 ? 1 : 0
