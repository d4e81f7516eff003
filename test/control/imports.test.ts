import assert from 'node:assert/strict'
import { test } from 'node:test'
import { served } from './harness.js'

test('without imports there are none, and none can be asked for', async () => {
  await served([], {}, async ({ ask, get }) => {
    assert.deepEqual(await get('/imports'), { imports: [] })
    for (const command of ['run', 'pause', 'resume']) {
      const { status, json } = await ask('POST', `/imports/erp/${command}`, {})
      assert.deepEqual([status, json.error.code], [404, 'IMPORT_UNKNOWN'])
    }
    const { status, json } = await ask('POST', '/imports/erp/run', { kinds: ['orders'] })
    assert.deepEqual([status, json.error.code], [400, 'REQUEST_INVALID'])
  })
})
