/**
 * What is not valid is tried again, and given up in the end: a loop that is meant. It cannot block itself, because the source
 * lets no more records on their way than the retry queue holds.
 */
import { dataflow } from 'millrace'

export default dataflow('dead-letters')
  .source('webhook', { label: 'Stripe Webhook', rate: 500, window: 1_000 })
  .transform('validator', { label: 'Signature Validator', latencyMs: 10, concurrency: 6 })
  .conditional('router', { label: 'Valid?' })
  .transform('processor', { label: 'Event Processor', latencyMs: 100, concurrency: 48 })
  .buffer('retry_queue', { label: 'Retry Queue', capacity: 1_000 })
  .transform('retry_handler', { label: 'Retry Handler', latencyMs: 150, concurrency: 12 })
  .buffer('dlq', { label: 'Dead Letter Queue', capacity: 1_000 })
  .sink('postgres', { label: 'Postgres' })
  .sink('alerting', { label: 'PagerDuty' })
  .connect('webhook', 'validator', { dataType: 'raw payload' })
  .connect('validator', 'router', { dataType: 'validated payload' })
  .connect('router', 'processor', { when: 'yes', ratio: 0.9 })
  .connect('router', 'retry_queue', { when: 'no', ratio: 0.1, pathType: 'retry' })
  .connect('processor', 'postgres', { dataType: 'processed event' })
  .connect('retry_queue', 'retry_handler')
  .connect('retry_handler', 'router', { when: 'reattempt', ratio: 0.8, pathType: 'retry' })
  .connect('retry_handler', 'dlq', { pathType: 'dead_letter', ratio: 0.2, label: 'failed' })
  .connect('dlq', 'alerting', { pathType: 'error', label: 'alert' })
