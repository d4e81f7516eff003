import { test } from 'node:test'
import * as graphs from './graphs.js'
import { poison } from './poisoned.js'

test('100 poison records among 100,000', () => poison(graphs.manyPoisoned, 100_000))
