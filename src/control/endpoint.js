import { Type } from 'typebox'
/** An endpoint, written as `endpoint('GET /pipelines', { … })`. GET reads; everything else acts. */
export function endpoint(address, given) {
  const [method, path] = address.split(' ')
  const { params, query, access = method === 'GET' ? 'read' : 'act', status = 200, errors = [], ...rest } = given
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
  worker: Type.Integer({ minimum: 0, description: 'Index in its stage, from 0.', examples: [0] }),
}
/** The examples of a schema, to stand in the example of another. */
export function examplesOf(schema) {
  return schema.examples ?? []
}
