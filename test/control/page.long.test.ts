import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { type Pipeline, rehearse, run } from 'millrace'
import { ControlClient, type Live } from '#src/control/index.js'
import { place } from '#src/page/layout.js'
import * as graphs from './graphs.js'
import { type Asked, served, until } from './harness.js'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const SKIP = CHROMIUM === undefined ? 'no Chromium is installed (Debian: apt-get install chromium)' : false

/** One for all tests: it takes seconds to start. */
let browser: Browser | undefined
before(async () => {
  if (CHROMIUM !== undefined) browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
})
after(() => browser?.close())

/** A page of the API in a real browser: whatever it complains of, or asks elsewhere for, fails the test. */
async function opened(
  options: { width?: number; dark?: boolean; token?: string },
  act: (asked: Asked & { page: Page; mill: Pipeline; pushed: Pipeline }) => Promise<void>,
): Promise<void> {
  const [mill, pushed] = [await run(graphs.mill, { inject: true }), await run(graphs.pushed, { inject: true })]
  const { width = 1280, dark = false, token } = options
  let context: BrowserContext | undefined
  const given = { showRecords: true, ...(token === undefined ? {} : { token }) }
  try {
    await served([mill, pushed], given, async (asked) => {
      context = await browser!.newContext({
        viewport: { width, height: 900 },
        colorScheme: dark ? 'dark' : 'light',
      })
      const page = await context.newPage()
      const complaints: string[] = []
      page.on('pageerror', ({ message }) => complaints.push(message))
      page.on('console', (message) => {
        if (message.type() === 'error' && !/401|409|429/.test(message.text())) complaints.push(message.text())
      })
      page.on('request', (request) => {
        if (!request.url().startsWith(asked.server.url) && !request.url().startsWith('data:'))
          complaints.push(request.url())
      })
      await page.goto(asked.server.url)
      await act({ ...asked, page, mill, pushed })
      assert.deepEqual(complaints, [])
    })
  } finally {
    await context?.close()
    await Promise.all([mill.stop(), pushed.stop()])
  }
}

test(
  'the page shows the graph with live figures, the bottleneck, and the stage that was chosen',
  { skip: SKIP },
  async () => {
    await opened({}, async ({ page }) => {
      await page
        .getByText(/records\/s|busy/)
        .first()
        .waitFor()
      assert.equal(await page.locator('.node').count(), 6)
      const figure = page.locator('.node[data-node=sensors] .figure')
      await until('a rate is shown', async () => /[1-9].*\/s/.test((await figure.textContent()) ?? ''))
      const elapsed = page.locator('#status .elapsed')
      const before = await elapsed.textContent()
      await until('the page goes on by itself', async () => (await elapsed.textContent()) !== before)
      await page.locator('.node[data-node=parse]').click()
      await page.locator('#stage h2').getByText('parse').waitFor()
      assert.equal(await page.locator('#stage .workers tbody tr').count(), 2)
      await page.getByRole('button', { name: 'time on the lane' }).click()
      await until('percentiles are shown', async () =>
        /99 %\s*[\d.]+/.test((await page.locator('.percentiles').innerText()).replaceAll('\t', ' ')),
      )
      assert.ok((await page.locator('#stage canvas').count()) === 3)
    })
  },
)

test('everything can be done by keyboard', { skip: SKIP }, async () => {
  await opened({}, async ({ page, mill }) => {
    const node = page.locator('.node[data-node=store]')
    await node.waitFor()
    await node.focus()
    await page.keyboard.press('Enter')
    await page.locator('#stage h2').getByText('store').waitFor()
    assert.equal(await node.getAttribute('aria-pressed'), 'true')
    const focusable = await page.evaluate(
      `[...document.querySelectorAll('button:not(:disabled), [tabindex="0"], input, select, textarea')].length`,
    )
    const seen = new Set<unknown>()
    await page.evaluate('document.activeElement.blur()')
    for (let i = 0; i < (focusable as number) + 5; i++) {
      await page.keyboard.press('Tab')
      seen.add(await page.evaluate(`document.activeElement.outerHTML.slice(0, 120)`))
    }
    for (const wanted of ['data-node="sensors"', 'Drain', 'push-record', 'Restart worker 0']) {
      assert.ok(
        [...seen].some((each) => String(each).includes(wanted)),
        `${wanted} is reached by Tab`,
      )
    }
    await page.getByRole('button', { name: 'Pause', exact: true }).focus()
    await page.keyboard.press('Space')
    await until('the pipeline is paused', () => mill.isPaused())
  })
})

test(
  'a pipeline is paused, a worker restarted, a limit set; what must be confirmed is asked',
  { skip: SKIP },
  async () => {
    await opened({}, async ({ page, mill }) => {
      await page.getByRole('button', { name: 'Pause', exact: true }).click()
      await page.locator('.pill').getByText('paused').waitFor()
      assert.ok(mill.isPaused())
      await page.getByRole('button', { name: 'Resume', exact: true }).click()
      await until('it goes on', () => !mill.isPaused())
      await page.locator('.node[data-node=parse]').click()
      await page.getByRole('button', { name: 'Restart worker 0' }).click()
      await page.locator('dialog').getByRole('button', { name: 'Restart' }).click()
      await until('its successor is at work', () =>
        mill.workers().some(({ node, epoch }) => node === 'parse' && epoch === 1),
      )
      await page.locator('.workers').getByText('requested').waitFor()
      await page.locator('.node[data-node=sensors]').click()
      await page.getByLabel('Rate limit').fill('500')
      await page.getByRole('button', { name: 'Set', exact: true }).click()
      await until('the limit is set', () => mill.rateLimit('sensors') === 500)
      await page.getByRole('button', { name: 'Drain' }).click()
      await page.keyboard.press('Escape')
      assert.equal(mill.state, 'running')
      await page.getByRole('button', { name: 'Drain' }).click()
      await page.locator('dialog').getByRole('button', { name: 'Drain' }).click()
      await page.locator('.pill').getByText('drained').waitFor()
      assert.equal((await mill.finished).outcome, 'drained')
    })
  },
)

test('dead letters appear, are replayed and forgotten; a test record is followed', { skip: SKIP }, async () => {
  await opened({}, async ({ page, pushed }) => {
    await page.getByRole('button', { name: 'pushed' }).click()
    await page.getByLabel('Record, as JSON').fill('-7')
    await page.getByRole('button', { name: 'Push', exact: true }).click()
    await page.locator('#push output').getByText('failed after').waitFor()
    const letter = page.locator('.letters tbody tr')
    await letter.getByText('RangeError: negative: -7').waitFor()
    await letter.getByRole('button', { name: 'Replay' }).click()
    await until('it was tried again', () => pushed.deadLetters.total === 2)
    await page.locator('.letters .state.failed').waitFor()
    await page
      .getByRole('button', { name: /Delete/ })
      .first()
      .click()
    await until('it is forgotten', () => pushed.deadLetters.list().length === 1)
    await page.locator('#events li').getByText('×2').waitFor()
    await page.getByLabel('Record, as JSON').fill('7')
    await page.getByRole('button', { name: 'Push', exact: true }).click()
    await page.locator('#push output').getByText('acked after').waitFor()
    await page.getByLabel('Record, as JSON').fill('{ 7')
    await page.getByRole('button', { name: 'Push', exact: true }).click()
    await page.locator('#notice').getByText('JSON').waitFor()
  })
})

test('where more workers lift the limit, a button gives them to the stage', { skip: SKIP }, async () => {
  const pipeline = await run(graphs.elastic)
  await served(pipeline, {}, async ({ server }) => {
    const page = await browser!.newPage()
    await page.goto(server.url)
    await page.locator('.scale').getByText('1 of 1 to 2').waitFor()
    await page.getByRole('button', { name: 'Resize to 2 workers' }).click()
    await until('it has them', () => pipeline.workers().filter(({ state }) => state === 'running').length === 4)
    await page.locator('.scale').getByText('2 of 1 to 2').waitFor()
    await page.getByRole('button', { name: 'Resize to 2 workers' }).waitFor({ state: 'detached' })
    await page.close()
  })
  await pipeline.stop()
})

test('the page asks for the token and keeps it', { skip: SKIP }, async () => {
  await opened({ token: 'open-sesame' }, async ({ page }) => {
    await page.getByLabel('This API requires a token.').fill('open-sesame')
    await page.getByRole('button', { name: 'Use it' }).click()
    await page.locator('.pill').getByText('running').waitFor()
  })
})

test('a pipeline that starts is shown as soon as it runs; of one that failed, why', { skip: SKIP }, async () => {
  const seen = new AbortController()
  const starting = once(seen.signal, 'abort').then(() => run(graphs.late))
  const doomed = await run(graphs.doomed)
  await assert.rejects(doomed.finished)
  await served({ starting, doomed }, {}, async ({ server }) => {
    const page = await browser!.newPage()
    await page.goto(server.url)
    await page.locator('#notice').getByText('still starting').waitFor()
    seen.abort()
    await page.locator('.node[data-node=end]').waitFor()
    await page.getByRole('button', { name: 'doomed' }).click()
    await page.locator('.pill').getByText('failed').waitFor()
    await page.locator('#bottleneck').getByText('RESTARTS_EXHAUSTED').waitFor()
    await page.close()
  })
  await (
    await starting
  ).finished
})

test('a connection that is lost is said to be, and taken up again', { skip: SKIP }, async () => {
  const pushed = await run(graphs.pushed)
  const page = await browser!.newPage()
  let port = 0
  await served(pushed, {}, async ({ server }) => {
    port = server.port
    await page.goto(server.url)
    await page.locator('.pill').getByText('running').waitFor()
  })
  await page.locator('#notice').getByText('Connection lost').waitFor()
  assert.ok(await page.locator('body.lost').count())
  await served(pushed, { port }, async () => {
    await page.locator('body:not(.lost) .pill').getByText('running').waitFor()
    assert.ok(await page.locator('#notice').isHidden())
  })
  await page.close()
  await pushed.stop()
})

/** Feeds the page by hand, tells what it writes, and holds its frames back as a browser does while a page is hidden. */
const BY_HAND = `{
  const { fetch, requestAnimationFrame } = window
  let feed
  const body = () => new ReadableStream({ start: (controller) => (feed = controller) })
  window.fetch = (url, ...rest) => url.includes('/watch?') ? Promise.resolve(new Response(body())) : fetch(url, ...rest)
  window.send = (name, data) =>
    feed.enqueue(new TextEncoder().encode('event: ' + name + '\\ndata: ' + JSON.stringify(data) + '\\n\\n'))
  window.isFollowing = () => feed !== undefined

  let held
  window.requestAnimationFrame = (draw) => (held === undefined ? requestAnimationFrame(draw) : held.push(draw))
  window.hide = () => (held = [])
  window.heldFrames = () => held.length
  window.unhide = () => {
    for (const draw of held) requestAnimationFrame(draw)
    held = undefined
  }

  window.written = []
  const placeOf = ({ target }) => (target.nodeType === Node.TEXT_NODE ? target.parentElement : target)
  const nameOf = (place) => place.closest?.('.elapsed') ? 'elapsed' : place.outerHTML?.slice(0, 80)
  const observer = new MutationObserver((records) => written.push(...records.map((each) => nameOf(placeOf(each)))))
  window.observe = () => observer.observe(document, { attributes: true, characterData: true, childList: true, subtree: true })
}`

/** A page that is sent what the test sends, of a pipeline that rests; what it asks for is answered as it was the first time. */
async function fed(
  act: (fed: { page: Page; send: (seconds: number) => Promise<void>; requests: string[] }) => Promise<void>,
): Promise<void> {
  const pushed = await run(graphs.pushed)
  const page = await browser!.newPage()
  await served(pushed, {}, async ({ server }) => {
    const live = await firstLive(server.url)
    const answers = new Map<string, string>()
    const requests: string[] = []
    await page.route('**/stages/**', async (route) => {
      const url = route.request().url()
      requests.push(url)
      const text = answers.get(url) ?? (await (await route.fetch()).text())
      answers.set(url, text)
      await route.fulfill({ contentType: 'application/json', body: text })
    })
    await page.addInitScript(BY_HAND)
    await page.goto(server.url)
    await until('the page follows', () => page.evaluate('isFollowing()'))
    const send = (seconds: number): Promise<void> =>
      page.evaluate(`send('snapshot', ${JSON.stringify({ ...live, elapsedMs: seconds * 1_000 })})`)
    await act({ page, send, requests })
  })
  await page.close()
  await pushed.stop()
}

async function firstLive(url: string): Promise<Live> {
  for await (const message of new ControlClient(url).watch('pushed'))
    if (message.name === 'snapshot') return message.data
  return assert.fail('no snapshot')
}

test('what has not changed is not written again', { skip: SKIP }, async () => {
  await fed(async ({ page, send }) => {
    await send(1)
    await page.locator('.percentiles tbody').waitFor()
    for (let second = 2; second < 10; second++) {
      // By then all that is asked for by turns has been answered and drawn once.
      if (second === 6) await page.evaluate('observe()')
      await send(second)
      await page.locator('.elapsed').getByText(`0:00:0${second}`).waitFor()
    }
    assert.deepEqual([...new Set(await page.evaluate<string[]>('written'))], ['elapsed'])
  })
})

test('a hidden page draws and asks nothing; shown again, it is as it would have been', { skip: SKIP }, async () => {
  await fed(async ({ page, send, requests }) => {
    await send(1)
    await page.locator('.percentiles tbody').waitFor()
    await page.evaluate('hide(), observe()')
    const before = requests.length
    await page.evaluate(`send('event', { name: 'worker.died', time: 0, fields: { node: 'check', worker: 0 } })`)
    for (let second = 2; second < 8; second++) await send(second)
    await until('snapshots and events wait for a frame', async () => (await page.evaluate('heldFrames()')) === 2)
    assert.deepEqual(await page.evaluate('written'), [])
    assert.equal(requests.length, before)
    await page.evaluate('unhide()')
    await page.locator('.elapsed').getByText('0:00:07').waitFor()
    await page.locator('#events li.died').getByText('check #0').waitFor()
  })
})

test(
  'a graph that is too large for the screen scrolls to what matters, and can be seen whole',
  { skip: SKIP },
  async () => {
    const pipeline = await rehearse(graphs.wide)
    await served(pipeline, {}, async ({ server }) => {
      const page = await browser!.newPage({ viewport: { width: 1280, height: 900 } })
      await page.goto(server.url)
      const last = page.locator('.node[data-node=stage-19]')
      await last.waitFor()
      await last.focus()
      await page.keyboard.press('Enter')
      const isSeen = async (): Promise<boolean> => {
        const [node, frame] = [(await last.boundingBox())!, (await page.locator('#graph').boundingBox())!]
        return node.x >= frame.x && node.x + node.width <= frame.x + frame.width + 1
      }
      assert.ok(await isSeen())
      const overflow = '(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.getElementById("graph"))'
      assert.notEqual(await page.evaluate(overflow), 0)
      await page.getByRole('button', { name: 'Whole graph' }).click()
      assert.equal(await page.evaluate(overflow), 0)
      const room = `[...document.querySelectorAll('.node')].map((node) =>
      node.querySelector('.outline').width.baseVal.value - node.querySelector('.name').getComputedTextLength())`
      for (const left of (await page.evaluate(room)) as number[]) assert.ok(left >= 20, 'no name is wider than its box')
      await page.close()
    })
    await pipeline.stop()
  },
)

test('clusters are boxes around what they hold, one in another, with their labels', { skip: SKIP }, async () => {
  const pipeline = await rehearse(graphs.clustered)
  await served(pipeline, {}, async ({ server }) => {
    for (const width of [1280, 390]) {
      const page = await browser!.newPage({ viewport: { width, height: 900 } })
      await page.goto(server.url)
      await page.locator('.node[data-node=store]').waitFor()
      assert.deepEqual((await page.locator('.cluster-title').allTextContents()).toSorted(), [
        'Reading',
        'Scores and ranks',
        'work',
      ])
      const boxOf = async (selector: string): Promise<Rectangle> => {
        const { x, y, width, height } = (await page.locator(selector).boundingBox())!
        return { left: x, right: x + width, top: y, bottom: y + height }
      }
      const [reading, scoring, work] = [
        await boxOf('[data-cluster=reading]'),
        await boxOf('[data-cluster=scoring]'),
        await boxOf('[data-cluster=work]'),
      ]
      assert.ok(holds(work, scoring) && areApart(work, reading))
      for (const { id, cluster } of graphs.clustered.nodes as readonly { id: string; cluster?: string }[]) {
        const node = await boxOf(`[data-node=${id}] .outline`)
        assert.equal(holds(reading, node), cluster === 'reading', id)
        assert.equal(holds(scoring, node), cluster === 'scoring', id)
        assert.equal(holds(work, node), cluster === 'scoring' || cluster === 'work', id)
      }
      await page.close()
    }
  })
  await pipeline.stop()
})

for (const [width, dark] of [
  [1280, false],
  [1280, true],
  [390, false],
  [390, true],
] as const) {
  test(`nothing is wider than a screen of ${width} pixels, ${dark ? 'dark' : 'light'}`, { skip: SKIP }, async () => {
    await opened({ width, dark }, async ({ page }) => {
      await page.locator('.pill').getByText('running').waitFor()
      await page.locator('#stage h2').waitFor()
      const widest = await page.evaluate('document.documentElement.scrollWidth')
      assert.ok((widest as number) <= width, `${String(widest)} pixels`)
      const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor')
      assert.equal(ground === 'rgb(13, 17, 23)', dark)
      const picture = await page.screenshot()
      assert.ok(picture.length > 10_000)
    })
  })
}

interface Rectangle {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** Rounded, so that two that touch are apart. */
const ROUNDING = 0.01

function holds(outer: Rectangle, inner: Rectangle): boolean {
  return (
    outer.left <= inner.left && outer.right >= inner.right && outer.top <= inner.top && outer.bottom >= inner.bottom
  )
}

function areApart(a: Rectangle, b: Rectangle): boolean {
  return (
    a.right <= b.left + ROUNDING ||
    b.right <= a.left + ROUNDING ||
    a.bottom <= b.top + ROUNDING ||
    b.bottom <= a.top + ROUNDING
  )
}

function rectangle(
  { x, y }: { x: number; y: number },
  { width, height }: { width: number; height: number },
): Rectangle {
  return { left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 }
}

test('a layout puts no box upon another that it is not in, whatever the graph and its clusters', () => {
  for (let seed = 1; seed <= 300; seed++) {
    let state = seed
    const random = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below
    const count = 1 + random(14)
    const boxes = Array.from({ length: count }, () => ({ width: 100 + random(80), height: 40 + random(50) }))
    const edges = Array.from({ length: random(24) }, () => [random(count), random(count)] as const)
    // A cluster is in an earlier one, or in none.
    const clusters = Array.from({ length: random(6) }, (_, i) => ({
      title: { width: 40 + random(200), height: 30 },
      within: random(i + 1) - 1,
    }))
    const clusterOf = boxes.map(() => random(clusters.length + 1) - 1)
    const around = (cluster: number): number[] =>
      cluster === -1 ? [] : [cluster, ...around(clusters[cluster]!.within)]
    for (const direction of ['right', 'down'] as const) {
      const placed = place({ boxes, edges, clusters, clusterOf, direction })
      const whole = { left: -1, top: -1, right: placed.width + 1, bottom: placed.height + 1 }
      const nodes = placed.nodes.map((middle, i) => ({
        name: `node ${i}`,
        at: rectangle(middle, boxes[i]!),
        within: around(clusterOf[i]!),
        cluster: undefined as number | undefined,
      }))
      const framed = placed.clusters.flatMap((found, cluster) => {
        const within = around(clusters[cluster]!.within)
        return found === undefined ? [] : [{ name: `cluster ${cluster}`, at: rectangle(found, found), within, cluster }]
      })
      const all = [...nodes, ...framed]
      all.forEach((a, i) => {
        assert.ok(holds(whole, a.at), `seed ${seed}: ${a.name}`)
        for (const b of all.slice(i + 1)) {
          const what = `seed ${seed}, ${direction}: ${a.name} and ${b.name}`
          if (b.cluster !== undefined && a.within.includes(b.cluster)) assert.ok(holds(b.at, a.at), what)
          else if (a.cluster !== undefined && b.within.includes(a.cluster)) assert.ok(holds(a.at, b.at), what)
          else assert.ok(areApart(a.at, b.at), what)
        }
      })
      placed.edges.forEach((points, edge) => {
        const [from, to] = edges[edge]!
        assert.deepEqual([points[0], points.at(-1)], [placed.nodes[from], placed.nodes[to]], `seed ${seed}`)
      })
      const used = new Set(clusterOf.flatMap(around))
      assert.deepEqual(new Set(framed.map(({ cluster }) => cluster)), used, `seed ${seed}`)
    }
  }
})
