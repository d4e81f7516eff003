import { test } from 'node:test'
import { passWithoutCode } from './without-code.js'

test('without code generation from strings, every codec holds what it holds with it', () => {
  passWithoutCode(['codec', 'every-codec', 'hostile', 'identity', 'shape-table'])
})
