import { MillraceError } from '../errors.js'
/** Talks to a control API. Needs nothing but `fetch`. */
export class ControlClient {
  #base
  #headers
  /** @param url of the API, with the prefix that it is mounted under */
  constructor(url, { token } = {}) {
    this.#base = url.replace(/\/+$/, '')
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  }
  async pipelines() {
    return (await this.#json('GET', '/pipelines')).pipelines
  }
  /** @throws CONTROL_UNREACHABLE with what the API said */
  async read(pipeline, resource) {
    return await this.#json('GET', `/pipelines/${encodeURIComponent(pipeline)}${resource}`)
  }
  async act(pipeline, act) {
    return await this.#json('POST', `/pipelines/${encodeURIComponent(pipeline)}/${act}`)
  }
  /** Snapshots and events, until the signal aborts or the connection ends. */
  async *watch(pipeline, { rateHz = 2, signal } = {}) {
    const path = `/pipelines/${encodeURIComponent(pipeline)}/watch?rateHz=${rateHz}`
    const response = await this.#fetch('GET', path, signal)
    if (response.body === null) return
    let rest = ''
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split('\n\n')
      rest = parts.pop() ?? ''
      for (const part of parts) {
        const found = parseMessage(part)
        if (found !== undefined) yield found
      }
    }
  }
  async #json(method, path) {
    return (await this.#fetch(method, path)).json()
  }
  async #fetch(method, path, signal) {
    const url = `${this.#base}${path}`
    let response
    try {
      response = await fetch(url, { method, headers: this.#headers, ...(signal === undefined ? {} : { signal }) })
    } catch (cause) {
      if (signal?.aborted === true) throw cause
      const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause)
      throw new MillraceError('CONTROL_UNREACHABLE', { url, reason }, { cause })
    }
    if (response.ok) return response
    const said = await response.json().catch(() => undefined)
    const { code, message } = said?.error ?? {}
    throw new MillraceError('CONTROL_UNREACHABLE', { url, status: response.status, code, reason: message })
  }
}
/** One message of server-sent events; undefined where it is a comment, or none that we know. */
function parseMessage(text) {
  const fields = new Map(
    text.split('\n').map((line) => {
      const at = line.indexOf(': ')
      return [line.slice(0, at), line.slice(at + 2)]
    }),
  )
  const [name, data] = [fields.get('event'), fields.get('data')]
  if (data === undefined || (name !== 'snapshot' && name !== 'event' && name !== 'gap')) return undefined
  return { name, data: JSON.parse(data), id: fields.get('id') ?? '' }
}
