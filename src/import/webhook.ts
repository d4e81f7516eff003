/** What somebody should know of an import, posted to an address. */
import { setTimeout, clearTimeout, sleep } from '../time.ts'
import { type ImportProblem, messageOf } from './problem.ts'
import { type Summary, exitCodeOf } from './summary.ts'

const ATTEMPTS = 3
const PAUSE_MS = 500
const ANSWER_MS = 10_000

/** Why an import is worth a message. */
export type Concern = 'failure' | 'schema change' | 'dead letters'

/** The gravest thing about an import, or undefined where nobody need know of it. */
export function concernOf(summary: Summary): Concern | undefined {
  if (exitCodeOf(summary) !== 0) return 'failure'
  if (summary.schemaChanges.length > 0) return 'schema change'
  return summary.results.some(({ outcome, deadLetters }) => outcome !== 'unchanged' && deadLetters > 0)
    ? 'dead letters'
    : undefined
}

/**
 * Posts what somebody should know as JSON: the summary, of its files only those that say something. Nothing where there is nothing.
 * @returns why it could not be told, or undefined
 */
export async function tellWebhook(url: string, summary: Summary): Promise<string | undefined> {
  const concern = concernOf(summary)
  if (concern === undefined) return undefined
  const { stages: _, results, ...totals } = summary
  const told = results.filter(
    ({ outcome, deadLetters, missing }) =>
      outcome === 'failed' || outcome === 'not read' || missing !== 0 || (outcome === 'imported' && deadLetters > 0),
  )
  const body = JSON.stringify({ concern, exitCode: exitCodeOf(summary), ...totals, results: told })
  return post(url, body)
}

/** Tells somebody that an import did not even begin. */
export async function tellProblem(url: string, { message, exitCode }: ImportProblem): Promise<string | undefined> {
  return post(url, JSON.stringify({ concern: 'failure', exitCode, failure: message }))
}

async function post(url: string, body: string): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    const reason = await postOnce(url, body)
    if (reason === undefined) return undefined
    if (attempt === ATTEMPTS) return `The webhook could not be called: ${reason}`
    await sleep(PAUSE_MS * attempt)
  }
}

async function postOnce(url: string, body: string): Promise<string | undefined> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(new Error('it does not answer')), ANSWER_MS)
  try {
    const headers = { 'content-type': 'application/json', 'user-agent': 'millrace import' }
    const answer = await fetch(url, { method: 'POST', headers, body, signal: late.signal })
    return answer.ok ? undefined : `it answers ${answer.status}`
  } catch (error) {
    const { cause } = error as { cause?: unknown }
    return messageOf(cause ?? error)
  } finally {
    clearTimeout(timer)
  }
}
