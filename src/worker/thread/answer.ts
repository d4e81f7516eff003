import { expose } from 'comlink'
import type { MessagePort } from 'node:worker_threads'
import { inspect, profile } from './inspect.ts'

/** Answers the supervisor's calls from here on, those that wait on the port included. */
export function answerCalls(link: MessagePort): void {
  expose({ inspect, profile }, link)
}
