/** The ingress journal on disks that fail: at every operation, in every way. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { MillraceError } from 'millrace'
import { IngressJournal } from '#src/durable/ingress-journal.js'
import { DIR, Told, check, openOn, play, work } from './workload.js'

const SEEDS = [1, 2, 3]

describe('the ingress journal', () => {
  for (const sync of ['group', 'each', 'time'] as const) {
    test(`gives back what was accepted and has not ended (${sync})`, async () => {
      const { disk, told } = await play(9, undefined, sync)
      const journal = await openOn(disk.copy())
      check(journal, told, sync)
      assert.deepEqual(
        journal.records.map(({ number }) => number),
        told.owed,
        'all that ended was noted before the end',
      )
      assert.ok(journal.figures.segments < 12, 'segments of which nothing is open go, and long records are carried on')
    })
  }

  for (const seed of SEEDS) {
    test(`loses nothing where the machine stops, whatever came to its disk: at each operation (seed ${seed})`, async () => {
      const { disk: whole } = await play(seed, undefined)
      assert.ok(whole.operations > 60, 'it asks the disk for something')
      for (let at = 1; at <= whole.operations; at++) {
        const { disk, told, random } = await play(seed, { at, what: 'crash' })
        const name = `seed ${seed}, operation ${at}`
        // The next process may stop while it reads, too.
        const again = disk.afterCrash({ at: random.between(1, 12), what: 'crash' })
        const second = await openOn(again).catch(() => undefined)
        if (second !== undefined) {
          check(second, told, `${name}, second process`)
          await work(second, random, told, 2)
        }
        const third = await openOn(again.afterCrash())
        check(third, told, `${name}, third process`)
        const before = Math.max(-1, ...told.values.keys())
        const number = third.push({ node: 'in', isCall: false, value: 0 }, () => undefined)
        assert.ok(number > before, `${name}: no number comes twice`)
      }
    })

    test(`on a full disk it rejects what does not fit, and goes on when there is room: at each operation (seed ${seed})`, async () => {
      let rejected = 0
      for (let at = 8; at <= 120; at += 3) {
        const { disk, told } = await play(seed, { at, what: 'full' })
        const others = [...told.codes.keys()].filter((code) => code !== 'JOURNAL_FULL')
        assert.deepEqual(others, [], `seed ${seed}, operation ${at}: it says why`)
        rejected += told.codes.get('JOURNAL_FULL') ?? 0
        check(await openOn(disk.afterCrash()), told, `seed ${seed}, operation ${at}`)
      }
      assert.ok(rejected > 0, 'some did not fit')
    })

    test(`after a sync that failed it accepts nothing more: at each operation (seed ${seed})`, async () => {
      let failed = 0
      for (let at = 4; at <= 120; at += 3) {
        const { disk, told } = await play(seed, { at, what: 'syncFails' })
        failed += told.codes.get('JOURNAL_FAILED') ?? 0
        check(await openOn(disk.afterCrash()), told, `seed ${seed}, operation ${at}`)
      }
      assert.ok(failed > 0, 'some sync failed')
    })
  }

  test('finds every damaged byte: it refuses, or says that something was not finished, or has all', async () => {
    const { disk, told } = await play(5, undefined)
    let refused = 0
    for (const [path, size] of disk.sizes) {
      for (let at = 0; at < size; at++) {
        const damaged = disk.copy()
        damaged.flip(path, at)
        try {
          const journal = await openOn(damaged)
          if (journal.tornBytes === 0) check(journal, told, `${path}, byte ${at}`)
        } catch (error) {
          const { code, detail } = error as MillraceError
          assert.equal(code, 'JOURNAL_CORRUPT', `${path}, byte ${at}: ${String(error)}`)
          assert.ok(String(detail['path']).startsWith(DIR))
          refused++
        }
      }
    }
    assert.ok(refused > 100)
  })

  test('misses a segment that is gone', async () => {
    const { disk } = await play(5, undefined)
    const middle = [...disk.sizes.keys()].sort()[1]!
    await disk.remove(middle)
    await assert.rejects(openOn(disk), { code: 'JOURNAL_CORRUPT' })
  })

  test('belongs to one graph, and to its push sources', async () => {
    const { disk } = await play(5, undefined)
    const other = { dir: DIR, sync: 'group', syncMs: 1, segmentBytes: 4_096 } as const
    const open = (graph: string, nodes: readonly string[]) =>
      IngressJournal.open({ ...other, graph, nodes, files: disk.copy() })
    await assert.rejects(open('h', ['in', 'other']), { code: 'JOURNAL_DIFFERS' })
    await assert.rejects(open('g', ['in']), { code: 'JOURNAL_DIFFERS' })
    const journal = await open('g', ['more', 'other', 'in'])
    assert.ok(journal.records.length > 0)
    await work(
      journal,
      { chance: () => false, between: () => 1, pick: () => 'in', next: () => 0 } as never,
      new Told(),
      1,
    )
  })
})
