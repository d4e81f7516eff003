import { test } from 'node:test'
import { stress } from './stress.js'

/** More of them, and with another seed: `npm run stress -- --records 10000000 --seed 7`. */
const RECORDS = 300_000

test(`${RECORDS} records through a diamond of tiny rings: every one is accounted for, and memory does not grow`, async (context) => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  context.diagnostic(`seed ${seed}`)
  const { planBytes } = await stress({ records: RECORDS, seed })
  context.diagnostic(`${planBytes} bytes of shared memory`)
})
