import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Static, type TObject, type TProperties, type TSchema, Type } from 'typebox'
import type { ErrorCode } from '../errors.ts'
import type { Access } from './auth.ts'

/** One address and method: what it takes, what it answers, and what it does. OpenAPI is made of these. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** With parameters as `:name`. */
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly access: Access
  readonly params: TObject
  readonly query: TObject
  readonly body?: TSchema
  /** Of the answer: a schema, or the content type of what is no JSON. */
  readonly answer: TSchema | string
  readonly status: number
  readonly errors: readonly ErrorCode[]
  readonly handle: (call: Call<any, any, any>) => unknown
}

export interface Call<Params, Query, Body> {
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

interface Given<P extends TProperties, Q extends TProperties, B extends TSchema> {
  readonly summary: string
  readonly tag: string
  readonly access?: Access
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  readonly answer: TSchema | string
  readonly status?: number
  readonly errors?: readonly ErrorCode[]
  readonly handle: (call: Call<Static<TObject<P>>, Static<TObject<Q>>, Static<B>>) => unknown
}

/** An endpoint, written as `endpoint('GET /pipelines', { … })`. GET reads; everything else is a command. */
export function endpoint<
  P extends TProperties = TProperties,
  Q extends TProperties = TProperties,
  B extends TSchema = TSchema,
>(address: `${Endpoint['method']} /${string}`, given: Given<P, Q, B>): Endpoint {
  const [method, path] = address.split(' ') as [Endpoint['method'], string]
  const { params, query, access = method === 'GET' ? 'read' : 'command', status = 200, errors = [], ...rest } = given
  return {
    ...rest,
    method,
    path,
    access,
    status,
    errors,
    params: Type.Object(params ?? {}),
    query: Type.Object(query ?? {}, { additionalProperties: false }),
  }
}

/** Parameters that many addresses have. */
export const PIPELINE = { pipeline: Type.String({ description: 'Name of the pipeline.', examples: ['iot'] }) }
export const NODE = { ...PIPELINE, node: Type.String({ description: 'Id of the node.', examples: ['parse'] }) }
export const WORKER = {
  ...NODE,
  worker: Type.Integer({ minimum: 0, description: 'Index of the worker in its stage, from 0.', examples: [0] }),
}

/** The examples of a schema, to stand in the example of another. */
export function examplesOf(schema: TSchema): readonly unknown[] {
  return (schema as { examples?: readonly unknown[] }).examples ?? []
}
