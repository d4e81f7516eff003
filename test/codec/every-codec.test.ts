/** What holds for every codec, whatever it is given. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canCompile } from '#src/codec/compile.js'
import { codecOf } from '#src/codec/codecs.js'
import fc from 'fast-check'
import { type EdgeOptions, MillraceError } from 'millrace'
import { roundTrip } from './harness.js'
import { anything } from './values.js'
import { WITHOUT_CODE, passWithoutCode } from './without-code.js'

const isWithoutCode = process.execArgv.includes(WITHOUT_CODE)
const RUNS = isWithoutCode ? 30 : 100

const CODECS: Readonly<Record<string, NonNullable<EdgeOptions['codec']>>> = {
  shape: 'shape',
  msgpack: 'msgpack',
  json: 'json',
  bytes: 'bytes',
  'struct of a number': { struct: 'f64' },
  'struct of a truth': { struct: 'bool' },
  'struct of fields': { struct: { x: 'f64', ok: 'bool' } },
}

for (const [name, codec] of Object.entries(CODECS)) {
  test(`${name}: what arrives equals what structuredClone makes, or the record fails with RECORD_NOT_ENCODABLE`, () => {
    fc.assert(
      fc.property(fc.array(anything, { minLength: 1, maxLength: 4 }), (values) => {
        // Each one four times: the shape codec learns at the third sight.
        for (const value of values) {
          const sent = [value, value, value, value]
          let arrived: unknown[]
          try {
            arrived = roundTrip(codecOf(codec), sent)
          } catch (error) {
            assert.ok(error instanceof MillraceError, String(error))
            assert.equal(error.code, 'RECORD_NOT_ENCODABLE')
            assert.equal(typeof error.detail['reason'], 'string')
            continue
          }
          assert.deepStrictEqual(arrived, structuredClone(sent))
        }
      }),
      { numRuns: RUNS },
    )
  })
}

test('without code generation from strings, a codec holds what it holds with it', { skip: isWithoutCode }, () =>
  passWithoutCode(['every-codec']),
)

test('the codecs know that they may not compile', { skip: !isWithoutCode }, () => {
  assert.equal(canCompile, false)
})
