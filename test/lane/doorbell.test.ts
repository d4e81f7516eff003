import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { Doorbell, isAsleep, isParked, ring } from '#src/lane/doorbell.js'
import { DOORBELL_BYTES, DOZE_MS } from '#src/memory/doorbell.js'
import { LINE_BYTES } from '#src/memory/memory.js'
import { until } from '../run/harness.js'

const BELL = 0
const FOR_EVER = 1 << 30

function made(): { words: Int32Array; bell: Doorbell } {
  const words = new Int32Array(new SharedArrayBuffer(DOORBELL_BYTES))
  return { words, bell: new Doorbell(words, 0) }
}

describe('a doorbell', () => {
  test('bell and announcement lie on different lines', () => {
    assert.ok(DOORBELL_BYTES >= 2 * LINE_BYTES)
  })

  test('D2: nobody is rung who has not announced to wait', () => {
    const { words, bell } = made()
    ring(words, 0)
    assert.equal(words[BELL], 0)
    bell.announce(FOR_EVER)
    ring(words, 0)
    assert.equal(words[BELL], 1)
    bell.rise()
    ring(words, 0)
    assert.equal(words[BELL], 1)
  })

  test('D1: a ring between the announcement and the wait is not lost', () => {
    const { words, bell } = made()
    bell.announce(FOR_EVER)
    ring(words, 0)
    bell.park(FOR_EVER)
    bell.announce(FOR_EVER)
    ring(words, 0)
    assert.equal(bell.parkAsync(assert.fail), false)
  })

  test('D3: who sleeps is told from who dozes', () => {
    const { words, bell } = made()
    const seen = (): boolean[] => [isParked(words, 0), isAsleep(words, 0)]
    assert.deepEqual(seen(), [false, false])
    bell.announce(DOZE_MS)
    assert.deepEqual(seen(), [true, false])
    bell.rise()
    bell.announce(DOZE_MS + 1)
    assert.deepEqual(seen(), [true, true])
    bell.rise()
    assert.deepEqual(seen(), [false, false])
  })

  test('waits that end for another reason leave one waiter behind, which the next ring or the end lets go', async () => {
    const { words, bell } = made()
    let rings = 0
    for (let i = 0; i < 1_000; i++) {
      bell.announce(FOR_EVER)
      assert.ok(bell.parkAsync(() => rings++))
      bell.rise()
    }
    assert.equal(Atomics.notify(words, BELL), 1)
    await until(() => rings === 1, 'the one that waited is told')
    bell.announce(FOR_EVER)
    assert.ok(bell.parkAsync(() => rings++))
    bell.leave()
    await until(() => rings === 2, 'the bell is left')
    assert.equal(Atomics.notify(words, BELL), 0)
  })

  test('a parked owner goes on when its time is over', () => {
    const { bell } = made()
    bell.announce(FOR_EVER)
    bell.park(1)
  })

  test('D1: an owner that waits is woken, again and again', async () => {
    const { words, bell } = made()
    const rounds = 200
    const code = `
      import { workerData } from 'node:worker_threads'
      const { ring } = await import(workerData.url)
      const { words, rounds } = workerData
      for (let i = 1; i <= rounds; i++) {
        while (Atomics.load(words, 1) !== i - 1);
        Atomics.store(words, 2, i)
        ring(words, 0)
      }`
    const url = import.meta.resolve('#src/lane/doorbell.js')
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
      workerData: { url, words, rounds },
    })
    for (let i = 1; i <= rounds; i++) {
      while (Atomics.load(words, 2) !== i) {
        bell.announce(FOR_EVER)
        if (Atomics.load(words, 2) !== i) {
          await new Promise<void>((resolve) => {
            if (!bell.parkAsync(resolve)) resolve()
          })
        }
        bell.rise()
      }
      Atomics.store(words, 1, i)
    }
    await worker.terminate()
    assert.equal(words[2], rounds)
  })
})
