/** The flows of GoFlow's page, started by one command and asked over HTTP. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { connectFlows } from 'millrace/flow/client'
import type * as flows from '../../examples/flows/kyc/flows.js'

const MAIN = fileURLToPath(new URL('../../examples/flows/kyc/main.js', import.meta.url))

type Flows = {
  myflow: typeof flows.myflow
  createUser: typeof flows.createUserFlow
  deleteUser: typeof flows.deleteUserFlow
  kyc: typeof flows.kyc
  'kyc-branching': typeof flows.branching
  'kyc-subdag': typeof flows.subdag
  'kyc-condition': typeof flows.condition
  'kyc-conditions': typeof flows.conditions
  'kyc-foreach': typeof flows.foreach
}

let server: ChildProcess
let said = ''
let url: string

before(async () => {
  server = spawn(process.execPath, [MAIN, '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  server.stdout!.on('data', (chunk: Buffer) => (said += chunk.toString()))
  while (!said.includes('kyc-foreach')) await once(server.stdout!, 'data')
  url = /The page: (http:\S+)\/#\/flows/.exec(said)![1]!
})
after(() => server.kill('SIGKILL'))

const user = (name: string, status: string): object => ({ user: name, status })

test('a flow of one vertex answers at once', async () => {
  const response = await fetch(`${url}/flows/myflow`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: 'hallo',
  })
  assert.equal(await response.text(), 'you said "hallo"')
})

test('KYC in all its variants: ada has a known face, bob an unknown one, hill none', async () => {
  const client = connectFlows<Flows>(url)
  const serial = client.flow('kyc')
  assert.deepEqual(await serial.execute('ada'), user('ada', 'success'))
  assert.deepEqual(await serial.execute('bob'), user('bob', 'success'))
  assert.deepEqual(await serial.execute('hill'), user('hill', 'failure'))
  for (const name of ['kyc-branching', 'kyc-subdag', 'kyc-condition'] as const) {
    const flow = client.flow(name)
    assert.deepEqual(await flow.execute('ada'), user('ada', 'success'), name)
    assert.deepEqual(await flow.execute('bob'), user('bob', 'failure'), name)
    assert.deepEqual(await flow.execute('hill'), user('hill', 'failure'), name)
  }
  const conditions = client.flow('kyc-conditions')
  assert.deepEqual(await conditions.execute('ada'), user('ada', 'success'))
  assert.deepEqual(await conditions.execute('bob'), user('bob', 'failure'))
  assert.deepEqual(await conditions.execute('hill'), user('hill', 'created'))
  const listed = await client.flow('kyc-foreach').execute('listed')
  assert.deepEqual(listed, [user('ada', 'success'), user('bob', 'failure'), user('hill', 'failure')])
  assert.deepEqual(await client.flow('createUser').execute('new'), { user: 'new', isCreated: true })
  assert.deepEqual(await client.flow('deleteUser').execute('new'), { user: 'new', isDeleted: true })
})

test('which branch was taken is seen, and a user without a picture fails at the step that looks for it', async () => {
  const client = connectFlows<Flows>(url)
  const flow = client.flow('kyc-conditions')
  const { id } = await flow.start('hill')
  const { steps } = await flow.ended(id)
  const names = new Set(steps!.map(({ step }) => step))
  assert.ok(names.has('handle-face-detect-response.fail.create-user'))
  assert.ok(!names.has('handle-face-detect-response.pass.face-match'))
  const nobody = await flow.start('nobody')
  const { state, error } = await flow.ended(nobody.id)
  assert.deepEqual([state, error!.step], ['failed', 'verify-url'])
})

test('the command ends at a signal', async () => {
  server.kill('SIGTERM')
  assert.deepEqual(await once(server, 'exit'), [0, null])
})
