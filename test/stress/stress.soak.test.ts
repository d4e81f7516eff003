import { test } from 'node:test'
import { stress } from './stress.js'

const RECORDS = 50_000_000

test(`${RECORDS} records through a diamond of tiny rings: every one is accounted for, and memory does not grow`, async (context) => {
  const seed = Math.floor(Math.random() * 2 ** 31)
  context.diagnostic(`seed ${seed}`)
  await stress({ records: RECORDS, seed })
})
