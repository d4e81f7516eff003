/** An import that serves: by a schedule, by changes, and when it is asked to; kinds are paused; the page's API and a main application. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fastify } from 'fastify'
import { ImportService, type ImportServiceOptions, type Summary } from 'millrace/import'
import { control } from 'millrace/control'
import { databaseOnServer, folderOf, importByCommand, importHere, put, rowsAt, temporaryFolder } from './harness.js'

const { onServer, to } = await databaseOnServer()

const noOne = (): void => undefined

/** A service whose runs can be waited for. */
async function opened(
  options: Omit<ImportServiceOptions, 'to'>,
): Promise<{ service: ImportService; next: () => Promise<Summary> }> {
  const runs: Summary[] = []
  let tell = noOne
  const service = await ImportService.open({
    to,
    ...options,
    onRun: (summary) => {
      runs.push(summary)
      tell()
    },
  })
  const next = async (): Promise<Summary> => {
    while (runs.length === 0) await new Promise<void>((resolve) => (tell = resolve))
    return runs.shift()!
  }
  return { service, next }
}

const settled = async (service: ImportService): Promise<ImportService['view']> => {
  while (service.view.state === 'running') await new Promise(setImmediate)
  return service.view
}

test(
  'a directory that changes is imported; what was missed while nobody watched is made up for',
  onServer,
  async () => {
    const directory = folderOf({ 'a.csv': 'id\n1\n' }, 'watched')
    const { service, next } = await opened({ directory, watch: true, settleMs: 20 })
    assert.equal((await next()).imported, 1)
    await settled(service)
    put(directory, { 'deep/b.csv': 'id\n2\n3\n' })
    let seen = await next()
    while (seen.files < 2) seen = await next()
    assert.equal(seen.rows, 3)
    // Hidden files are none of the import's.
    await service.close()
    assert.equal(service.view.state, 'closed')
    assert.deepEqual(await rowsAt(to, 'select count(*) as n from watched.deep_b'), [['2']])
  },
)

test('a kind that fails stops no other; a paused one is left out of every run, but for its own', onServer, async () => {
  const directory = folderOf({ 'a.csv': 'id\n1\n', 'b.csv': 'id\n1\n', 'broken.csv': 'a,b\n1\n' }, 'paused')
  const { service, next } = await opened({ directory })
  await using _ = service
  assert.deepEqual([service.view.state, service.view.nextRun, service.view.kinds], ['waiting', null, []])
  service.run()
  const first = await next()
  assert.deepEqual([first.imported, first.failed], [2, 1])
  const { kinds, runs, problem } = await settled(service)
  assert.deepEqual(
    kinds.map(({ name, table, rows, failed, isPaused }) => [name, table, rows, failed, isPaused]),
    [
      ['a', 'paused.a', 1, 0, false],
      ['b', 'paused.b', 1, 0, false],
      ['broken', null, 0, 1, false],
    ],
  )
  assert.match(kinds[2]!.message!, /100 % of its rows are dead letters/)
  assert.deepEqual([runs.length, runs[0]!.failed, problem], [1, 1, null])
  assert.equal(service.pause('nobody'), false)
  assert.ok(service.pause('b'))
  put(directory, { 'a.csv': 'id\n2\n', 'b.csv': 'id\n2\n' })
  service.run()
  const second = await next()
  assert.deepEqual([second.imported, second.pausedKinds], [1, ['b']])
  // The books keep it: another process leaves it out too.
  const other = await importHere({ directory, to })
  assert.deepEqual(other.pausedKinds, ['b'])
  assert.ok(other.results.every(({ path }) => path !== 'b.csv'))
  await settled(service)
  service.run('b')
  assert.deepEqual(
    (await next()).results.map(({ path, outcome }) => [path, outcome]),
    [['b.csv', 'imported']],
  )
  await settled(service)
  service.resume('b')
  service.run()
  assert.deepEqual((await next()).pausedKinds, [])
})

test('a paused service makes no run by itself, and makes up for changes when it is resumed', onServer, async () => {
  const directory = folderOf({ 'a.csv': 'id\n1\n' }, 'rests')
  const waits: (number | undefined)[] = []
  const { service, next } = await opened({
    directory,
    cron: '* * * * * *',
    watch: true,
    settleMs: 10,
    onWaiting: (untilMs) => waits.push(untilMs),
  })
  await using _ = service
  await next()
  service.pause()
  assert.ok(['paused', 'running'].includes(service.view.state))
  await settled(service)
  assert.deepEqual([service.view.state, service.view.nextRun], ['paused', null])
  const { runs } = service.view
  // Two more times it is due, and it is not imported.
  for (const seen = waits.length; waits.length < seen + 3;) await new Promise(setImmediate)
  assert.equal(service.view.runs[0]!.id, runs[0]!.id)
  service.resume()
  assert.equal((await next()).files, 1)
})

test('a database that is away ends a run, and not the service', onServer, async () => {
  const problems: string[] = []
  const directory = folderOf({ 'a.csv': 'id\n1\n' }, 'away')
  const away = new URL(to)
  away.pathname = '/nowhere_at_all'
  const service = await ImportService.open({ directory, to: away.href, onProblem: (text) => problems.push(text) })
  service.run()
  while (problems.length < 2) await new Promise(setImmediate)
  await settled(service)
  assert.equal(service.view.state, 'waiting')
  assert.match(service.view.problem!, /cannot be used: .*nowhere_at_all.*does not exist/)
  await service.close()
})

test('the API is mounted in a main application, behind its own sign-in', onServer, async () => {
  const directory = folderOf({ 'a.csv': 'id\n1\n' }, 'mounted')
  const { service, next } = await opened({ directory })
  await using _ = service
  const app = fastify()
  await app.register(async (area) => {
    area.addHook('onRequest', async (request, reply) => {
      if (request.headers.cookie !== 'session=somebody') return reply.code(403).send('Sign in first.')
      return undefined
    })
    await area.register(control([], { imports: { mounted: service }, hosts: ['app.example.org'] }), {
      prefix: '/imports-of-ours',
    })
  })
  const ask = async (method: 'GET' | 'POST', path: string, body?: object): Promise<{ status: number; json: any }> => {
    const answer = await app.inject({
      method,
      url: `/imports-of-ours/${path}`,
      headers: { host: 'app.example.org', cookie: 'session=somebody' },
      ...(body === undefined ? {} : { payload: body }),
    })
    return {
      status: answer.statusCode,
      json: String(answer.headers['content-type']).startsWith('application/json') ? answer.json() : answer.body,
    }
  }
  assert.equal((await app.inject({ method: 'GET', url: '/imports-of-ours/imports' })).statusCode, 403)
  assert.match((await ask('GET', '')).json, /id="imports"/)
  assert.equal((await ask('POST', 'imports/mounted/run', {})).status, 202)
  assert.equal((await next()).imported, 1)
  await settled(service)
  const { imports } = (await ask('GET', 'imports')).json
  assert.deepEqual(
    [imports[0].name, imports[0].state, imports[0].kinds[0].table, imports[0].runs.length],
    ['mounted', 'waiting', 'mounted.a', 1],
  )
  assert.equal((await ask('POST', 'imports/mounted/pause', { kind: 'a' })).json.kinds[0].isPaused, true)
  assert.equal((await ask('POST', 'imports/mounted/resume', { kind: 'a' })).json.kinds[0].isPaused, false)
  assert.equal((await ask('POST', 'imports/mounted/pause', {})).json.state, 'paused')
  for (const [path, body] of [
    ['imports/nobody/run', {}],
    ['imports/mounted/run', { kind: 'nothing' }],
  ] as const) {
    const { status, json } = await ask('POST', path, body)
    assert.deepEqual([status, json.error.code], [404, 'IMPORT_UNKNOWN'])
  }
  await app.close()
})

test('the command serves a page beside its imports, and watches', onServer, async () => {
  const directory = folderOf({ 'a.csv': 'id\n1\n' }, 'commanded')
  const isThere = async (id: number): Promise<boolean> =>
    (await rowsAt(to, `select id from commanded.a where id = ${id}`).catch(() => [])).length > 0
  let imports: unknown
  const ended = await importByCommand(['serve', directory, '--to', to, '--watch', '--port', '0'], {
    cwd: temporaryFolder(),
    onStart: (child) => {
      let told = ''
      child.stderr!.on('data', (text: Buffer) => (told += text.toString()))
      void (async () => {
        while (child.exitCode === null && !(await isThere(1)));
        put(directory, { 'a.csv': 'id\n2\n' })
        while (child.exitCode === null && !(await isThere(2)));
        const url = /http:\/\/[\d.:]+/.exec(told)![0]
        imports = await (await fetch(`${url}/imports`)).json()
        child.kill('SIGINT')
      })()
    },
  })
  assert.equal(ended.code, 0, ended.stderr)
  assert.equal((imports as { imports: { name: string }[] }).imports[0]!.name, 'commanded')
})
