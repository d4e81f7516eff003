import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Random } from '#src/test-kit/random.js'
import type { Place } from './graphs.js'
import type { Orders } from './service.js'

/** What came of the kills. */
export interface Outcome {
  readonly kills: number
  readonly accepted: number
  /** Accepted and nowhere to be found. */
  readonly lost: readonly number[]
  /** Lines or rows beside the first of each record. */
  readonly again: number
  /** Of two records with one id, or of one with two. */
  readonly mixedUp: readonly string[]
}

/** Each life pushes numbers of its own. */
const NUMBERS_OF_A_LIFE = 1_000_000

/** One process of the service. */
class Life {
  /** It has accepted a record. */
  readonly running: Promise<void>
  readonly ended: Promise<{ code: number | null; text: string }>
  readonly kill: () => void

  constructor(orders: Orders) {
    const program = fileURLToPath(new URL('service.js', import.meta.url))
    const child = spawn(process.execPath, [program, JSON.stringify(orders)], { stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    child.stderr.on('data', (part: Buffer) => (text += String(part)))
    this.running = new Promise((resolve) => child.stdout.once('data', () => resolve()))
    this.ended = new Promise((resolve) => child.once('close', (code) => resolve({ code, text })))
    this.kill = () => void child.kill('SIGKILL')
  }
}

/** Kills the service at random moments, then lets it end what is left. @param rowsOf what the sink has, as `id n` */
export async function killOften(given: {
  readonly kind: 'ledger' | 'table'
  readonly kills: number
  readonly random: Random
  readonly place: Omit<Place, 'ledger'>
  readonly rowsOf?: () => Promise<readonly string[]>
  readonly onKill?: (kills: number) => void
}): Promise<Outcome> {
  const { kind, kills, random, onKill } = given
  const folder = mkdtempSync(join(tmpdir(), 'millrace-durable-'))
  const dir = join(folder, 'journal')
  const accepted = join(folder, 'accepted')
  const place = { ...given.place, ledger: join(folder, 'ledger') }
  try {
    for (let life = 0; life < kills; life++) {
      const service = new Life({ kind, dir, accepted, place, from: life * NUMBERS_OF_A_LIFE })
      // Some die while they start, and read what the one before has left.
      const isYoung = random.chance(0.2)
      const first = await Promise.race([isYoung ? sleep(random.between(1, 400)) : service.running, service.ended])
      assert.equal(first, undefined, `it did not run: ${first?.text}`)
      if (!isYoung) await sleep(random.between(0, 150))
      service.kill()
      await service.ended
      onKill?.(life + 1)
    }
    const last = await new Life({ kind, dir, accepted, place }).ended
    assert.equal(last.code, 0, last.text)
    const rows = given.rowsOf === undefined ? linesOf(place.ledger) : await given.rowsOf()
    return compared(kills, linesOf(accepted).map(Number), rows)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function compared(kills: number, accepted: readonly number[], rows: readonly string[]): Outcome {
  const idOf = new Map<string, string>()
  const recordOf = new Map<string, string>()
  const mixedUp = rows.filter((row) => {
    const [id, n] = row.split(' ') as [string, string]
    const isRight = (idOf.get(n) ?? id) === id && (recordOf.get(id) ?? n) === n
    idOf.set(n, id)
    recordOf.set(id, n)
    return !isRight
  })
  const lost = accepted.filter((n) => !idOf.has(String(n)))
  return { kills, accepted: accepted.length, lost, again: rows.length - idOf.size, mixedUp }
}

/** Whole lines only: a kill may cut the last one, which the process never got to tell of. */
function linesOf(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []
}
