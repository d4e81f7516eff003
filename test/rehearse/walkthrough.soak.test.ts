import { test } from 'node:test'
import etl from '../../examples/walkthrough/1-simple-etl.js'
import iot from '../../examples/walkthrough/2-iot.js'
import deadLetters from '../../examples/walkthrough/3-dead-letters.js'
import microservices from '../../examples/walkthrough/4-microservices.js'
import repaired from '../../examples/walkthrough/5-repair.js'
import { holdsTrue } from './holds-true.js'

test('the five graphs of the walkthrough run as predicted', async () => {
  const waiting = [
    { graph: etl, bottleneck: 'enricher' },
    { graph: iot, bottleneck: 'aggregator' },
    { graph: microservices, bottleneck: 'payment' },
    { graph: repaired, bottleneck: 'worker' },
  ]
  // The lanes behind its apps take eleven seconds to fill, each by itself.
  await holdsTrue(waiting, 24, 12, 4)
  // More than sixty workers: by itself.
  await holdsTrue([{ graph: deadLetters, bottleneck: 'processor' }], 8, 4, 1)
})
