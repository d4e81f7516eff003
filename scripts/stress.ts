/** `npm run stress -- [--records N] [--seed S] [--json]`: a diamond of tiny rings under load; every record is accounted for. */
import { parseArgs } from 'node:util'
import { stress } from '../test/stress/stress.js'

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '10000000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    json: { type: 'boolean', default: false },
  },
})
const [records, seed] = [Number(values.records), Number(values.seed)]
console.error(`${records} records, seed ${seed}`)
const result = await stress({ records, seed }, ({ elapsedMs, nodes }) => {
  const { in: made, inFlight } = nodes['numbers']!
  const rate = Math.round((1000 * made) / elapsedMs)
  const mb = Math.round(process.memoryUsage.rss() / 2 ** 20)
  console.error(`${(elapsedMs / 1000).toFixed(0)} s: ${made} made, ${inFlight} in flight, ${rate} records/s, ${mb} MB`)
})
if (values.json) console.log(JSON.stringify({ records, seed, ...result }))
else console.log(`All ${records} accounted for.`, result)
