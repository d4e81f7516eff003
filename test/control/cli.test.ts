import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { cli } from '#src/cli/cli.js'
import { TerminalScreen } from '#src/cli/screen.js'
import * as graphs from './graphs.js'
import { controlled, until } from './harness.js'

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const GRAPHS = fileURLToPath(new URL('./graphs.js', import.meta.url))

interface Started {
  readonly child: ChildProcess
  readonly out: { stdout: string; stderr: string }
  readonly ended: Promise<unknown[]>
}

function millrace(...args: string[]): Started {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const out = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (out.stderr += text))
  return { child, out, ended: once(child, 'close') }
}

test('millrace run serves the API, drains on Ctrl-C, and ends with a report', async () => {
  const { child, out, ended } = millrace('run', GRAPHS, '--graph', 'mill', '--port', '0', '--json')
  const url = await until('it runs', () => /runs: (\S+)/.exec(out.stderr)?.[1])
  await until('records flow', async () => {
    const stats = (await (await fetch(`${url}/pipelines/mill/stats`)).json()) as any
    return stats.stages[0].totals.in > 100
  })
  child.kill('SIGINT')
  const [code] = await ended
  assert.equal(code, 0, out.stderr)
  const { graph, report } = JSON.parse(out.stdout.trimEnd().split('\n').at(-1)!)
  assert.equal(graph, 'mill')
  assert.equal(report.outcome, 'drained')
  assert.ok(report.acked + report.failed > 100 && report.abandoned === 0, JSON.stringify(report))
})

test('a second Ctrl-C stops; a pipeline that fails is exit code 1 with its cause', async () => {
  const stuck = millrace('run', GRAPHS, '--graph', 'narrow', '--no-api', '--json')
  await until('it has started', async () => {
    await new Promise((resolve) => setTimeout(resolve, 500))
    return stuck.out.stderr.includes('narrow running')
  })
  stuck.child.kill('SIGINT')
  await until('it drains', () => stuck.out.stderr.includes('Draining'))
  stuck.child.kill('SIGINT')
  assert.equal((await stuck.ended)[0], 0)
  assert.match(JSON.parse(stuck.out.stdout).report.outcome, /stopped|drained/)
  const doomed = millrace('run', GRAPHS, '--graph', 'doomed', '--no-api', '--json')
  assert.equal((await doomed.ended)[0], 1)
  const { error } = JSON.parse(doomed.out.stdout)
  assert.equal(error.code, 'RESTARTS_EXHAUSTED')
  assert.match(error.message, /node: \w+, deaths: \d+, reason: [^,]+\) `reason`/)
})

test('millrace top shows a pipeline once where there is no terminal, or as lines of JSON', async () => {
  await controlled(graphs.mill, { serve: { token: 'abc' } }, async ({ server, get }) => {
    await until('records flow', async () => (await get('/pipelines/mill/stats')).stages[0].totals.in > 0)
    const lines: string[] = []
    const output = {
      print: (text: string) => void lines.push(text),
      warn: (text: string) => void lines.push(text),
      color: false,
    }
    assert.equal(await cli(['top', server.url, '--token', 'abc'], output), 0)
    assert.match(lines.join('\n'), /mill {3}running[^]*STAGE[^]*sensors[^]*EDGE[^]*sensors → parse/)
    lines.length = 0
    assert.equal(await cli(['top', server.url, '--token', 'abc', '--json', '--once'], output), 0)
    assert.equal(JSON.parse(lines[0]!).stages.length, 4)
    lines.length = 0
    assert.equal(await cli(['top', server.url, '--json'], output), 1)
    assert.equal(JSON.parse(lines[0]!).error.code, 'CONTROL_UNREACHABLE')
    assert.equal(await cli(['top'], output), 2)
    assert.equal(await cli(['top', 'nonsense'], output), 2)
    assert.equal(await cli(['top', server.url, '--rate', '50'], output), 2)
  })
})

test('on a terminal of any size the view fits, and what tells least gives way', async () => {
  await controlled(graphs.mill, {}, async ({ server, get }) => {
    await until('records flow', async () => (await get('/pipelines/mill/stats')).stages[0].totals.in > 0)
    let frame: string[] = []
    let resized: (() => void) | undefined
    const write = (text: string): void => {
      if (text.startsWith('\u001B[H')) frame = stripVTControlCharacters(text).split('\r\n')
    }
    const onResize = (listener: () => void) => {
      resized = listener
      return () => undefined
    }
    const terminal = { columns: 80, rows: 24, write, onResize }
    const output = { print: () => undefined, warn: () => undefined, color: true, terminal }
    const ended = cli(['top', server.url, '--rate', '10'], output)
    const fits = async (columns: number, rows: number): Promise<string> => {
      Object.assign(terminal, { columns, rows })
      resized?.()
      const text = frame.join('\n')
      assert.equal(frame.length, rows, text)
      for (const line of frame) assert.ok(line.length <= columns, `${columns} columns: ${line}`)
      assert.match(frame.at(-1)!, /Ctrl-C ends/)
      return text
    }
    await until('a frame', () => frame.length > 0)
    assert.match(await fits(80, 24), /STAGE +IN [^]*EDGE +RATE/)
    assert.match(
      await fits(160, 50),
      /STAGE +WORKERS +IN +OUT +BUSY +BLOCKED +LIMITED +P99 +IN FLIGHT +FAILED +RESTARTS/,
    )
    assert.match(await fits(80, 12), /STAGE[^]*sensors/)
    assert.match(await fits(80, 8), /STAGE \(\d of 4\)/)
    await fits(46, 24)
    process.emit('SIGINT')
    assert.equal(await ended, 0)
  })
})

test('a screen is redrawn when it is resized, cuts what is too long, and leaves the terminal as it was', () => {
  let written = ''
  let resized: (() => void) | undefined
  const terminal = {
    columns: 10,
    rows: 2,
    write: (text: string) => void (written += text),
    onResize: (listener: () => void) => {
      resized = listener
      return () => (resized = undefined)
    },
  }
  const screen = new TerminalScreen(terminal)
  screen.show(() => ['0123456789', '0123456789ab', 'third'])
  assert.ok(
    written.includes('0123456789\u001B[K') && written.includes('012345678…\u001B[K') && !written.includes('third'),
  )
  Object.assign(terminal, { columns: 20, rows: 5 })
  written = ''
  resized?.()
  assert.ok(written.includes('0123456789ab') && written.includes('third'))
  screen.close()
  assert.ok(written.endsWith('\u001B[?25h\u001B[?1049l'))
  written = ''
  resized?.()
  assert.equal(written, '')
})
