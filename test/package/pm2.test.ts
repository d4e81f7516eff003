import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../run/harness.js'
import { project } from './project.js'

const own = project(['pm2', 'typescript@5', '@types/node@20'])

test(
  'PM2 runs two processes with a pipeline each, and both drain when it stops them',
  { skip: own.skip },
  async (t) => {
    const env = { PM2_HOME: join(own.folder, 'pm2') }
    const pm2 = async (...args: string[]): Promise<void> => {
      const { code, out, err } = await own.run('pm2', args, env)
      assert.equal(code, 0, out + err)
    }
    const said = (text: string): number => {
      const file = join(own.folder, 'said.txt')
      return existsSync(file)
        ? readFileSync(file, 'utf8')
            .split('\n')
            .filter((line) => line === text).length
        : 0
    }
    assert.equal((await own.run('tsc', [])).code, 0)
    t.after(() => own.run('pm2', ['kill'], env))
    await pm2('start', 'js/service.js', '--instances', '2', '--kill-timeout', '12000')
    await until(() => said('answered 42') === 2, 'both processes answer')
    await pm2('stop', 'all')
    assert.equal(said('process.drained'), 2)
  },
)
