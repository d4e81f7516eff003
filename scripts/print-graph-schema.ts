/** Prints `schema/graph.schema.json` from the tables of options: `node build/scripts/print-graph-schema.js`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  CLUSTER_OPTIONS,
  EDGE_OPTIONS,
  NODE_OPTIONS,
  type OptionSpec,
  type OptionTable,
  VIA_OPTIONS,
} from '#src/options/index.js'
import { NODE_KINDS, STRUCT_TYPES, type NodeKind } from 'millrace'

type Schema = Readonly<Record<string, unknown>>

export function graphSchema(): Schema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Millrace graph',
    description: 'A dataflow graph as `graphFromJson` reads it. Printed from src/options.',
    ...object({
      required: ['name', 'nodes'],
      properties: {
        $schema: { type: 'string' },
        name: text('Name of the graph.'),
        nodes: { type: 'array', items: { oneOf: NODE_KINDS.map((kind) => ({ $ref: `#/definitions/${kind}` })) } },
        edges: { type: 'array', items: { $ref: '#/definitions/edge' } },
        clusters: { type: 'array', items: { $ref: '#/definitions/cluster' } },
      },
    }),
    definitions: {
      ...Object.fromEntries(NODE_KINDS.map((kind) => [kind, nodeSchema(kind)])),
      edge: object({
        required: ['from', 'to'],
        properties: {
          from: text('Id of the node that it leaves.'),
          to: text('Id of the node that it enters.'),
          ...optionSchemas(EDGE_OPTIONS),
        },
      }),
      cluster: object({
        required: ['id'],
        properties: { id: text('Id of the cluster.'), ...optionSchemas(CLUSTER_OPTIONS) },
      }),
      handler: {
        description: 'A handler by the module and the export that hold it.',
        ...object({
          required: ['module', 'export'],
          properties: { module: text('Module to import.'), export: text('Name of its export.') },
        }),
      },
    },
  }
}

function text(description: string): Schema {
  return { type: 'string', minLength: 1, description }
}

function nodeSchema(kind: NodeKind): Schema {
  const table = Object.entries<OptionSpec>(NODE_OPTIONS).filter(([, { kinds }]) => kinds?.includes(kind) ?? true)
  return object({
    required: ['id', 'kind'],
    properties: {
      id: text('Id of the node.'),
      kind: { const: kind },
      ...optionSchemas(Object.fromEntries(table)),
    },
  })
}

function object({ required, properties }: { required: readonly string[]; properties: Schema }): Schema {
  return { type: 'object', required, properties, additionalProperties: false }
}

function optionSchemas(table: OptionTable): Schema {
  return Object.fromEntries(Object.entries(table).map(([name, spec]) => [name, optionSchema(spec)]))
}

function optionSchema(spec: OptionSpec): Schema {
  const { unit, default: standard } = spec
  // JSON Schema knows no default that other options decide.
  const hasOne = standard !== undefined && typeof standard !== 'object'
  const description = unit === undefined ? spec.text : `${spec.text} Unit: ${unit}.`
  return { description, ...typeSchema(spec), ...(hasOne ? { default: standard } : {}) }
}

function typeSchema({ words, ...spec }: OptionSpec): Schema {
  if (words !== undefined) return { anyOf: [typeSchema(spec), { enum: words }] }
  const { type, values, fields, min, max, above } = spec
  switch (type) {
    case 'handler':
      return { allOf: [{ $ref: '#/definitions/handler' }] }
    case 'oneOf':
      return { enum: values }
    case 'object':
      return object({ required: [], properties: optionSchemas(fields ?? {}) })
    case 'limit': {
      const [first = ''] = Object.keys(fields ?? {})
      const number = { type: 'number', exclusiveMinimum: above }
      return { anyOf: [number, object({ required: [first], properties: optionSchemas(fields ?? {}) })] }
    }
    case 'codec': {
      const types = { type: 'object', minProperties: 1, additionalProperties: { enum: STRUCT_TYPES } }
      const struct = { anyOf: [{ enum: STRUCT_TYPES }, types] }
      return {
        anyOf: [
          { enum: values },
          object({ required: ['struct'], properties: { struct, view: { type: 'boolean' } } }),
          object({ required: ['bytes'], properties: { bytes: { const: 'borrow' } } }),
        ],
      }
    }
    case 'via':
      return {
        anyOf: Object.entries(VIA_OPTIONS).map(([technology, { table, required }]) =>
          object({
            required: ['technology', ...required],
            properties: { technology: { const: technology }, ...optionSchemas(table) },
          }),
        ),
      }
    default:
      return {
        type,
        ...(min === undefined ? {} : { minimum: min }),
        ...(max === undefined ? {} : { maximum: max }),
        ...(above === undefined ? {} : { exclusiveMinimum: above }),
      }
  }
}

export function printed(schema: Schema): string {
  return `${JSON.stringify(schema, undefined, 2)}\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = new URL('../../schema/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL('graph.schema.json', folder), printed(graphSchema()))
}
