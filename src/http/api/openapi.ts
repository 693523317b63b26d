import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import { z } from 'zod'
import { comparisonJsonSchema } from '../../verdict/document.ts'
import { isNamedByNoneMatch } from './etag.ts'
import { type ProblemName, problemDocument, problems, problemsUnder } from './problem.ts'

/** `GET /openapi.json`: what `/api` takes and answers (OpenAPI 3.1), made of the schemas that it is checked with. */
export function openApiRoutes({ config }: { readonly config: { readonly publicUrl: string } }): Hono {
  const answer = problemsUnder(config.publicUrl)
  const body = JSON.stringify(openApi(config.publicUrl), null, 2)
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  return new Hono()
    .get('/openapi.json', (c) => {
      c.header('ETag', etag)
      c.header('Cache-Control', 'public, max-age=300')
      if (isNamedByNoneMatch(c, etag)) return c.body(null, 304)
      return c.body(body, 200, { 'Content-Type': 'application/json' })
    })
    .all('/openapi.json', (c) => {
      c.header('Allow', 'GET, HEAD')
      return answer(c, 'WrongMethod', 'The description is only read: GET, HEAD.')
    })
}

function openApi(publicUrl: string): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Weekly Verdict: comparisons',
      version: '1',
      description: introduction,
    },
    servers: [{ url: publicUrl }],
    security: [{ token: [] }],
    paths: { '/api/comparisons/{slug}': comparisonPath },
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'API_TOKEN' } },
      schemas: {
        Comparison: withoutDialect(comparisonJsonSchema()),
        Problem: withoutDialect(z.toJSONSchema(problemDocument)),
      },
      headers,
      responses: Object.fromEntries(
        problemNames().map((name) => [name, { ...problemAnswer(name), headers: headersOf(name) }]),
      ),
    },
  }
}

const introduction = [
  'Publishes comparisons. A document is kept under its slug; every change of it is a new revision, and the same document again changes nothing, so any request may be repeated.',
  'Text is kept without white space around it and in Unicode NFC, so the answer to a PUT is the document as it is kept, and its ETag is of that.',
  'To change what somebody else may be changing too, send If-Match with the ETag that you read: one of two who do so is refused (412).',
].join('\n\n')

const written = ['ETag', 'Comparison-Revision', 'Comparison-Outcome', 'Content-Location'] as const

const comparisonPath = {
  parameters: [
    {
      ...{ name: 'slug', in: 'path', required: true, description: 'The slug that the document itself has' },
      schema: { type: 'string', maxLength: 120, pattern: '^[a-z0-9]+(-[a-z0-9]+)*$' },
    },
  ],
  get: {
    operationId: 'getComparison',
    summary: 'The document as it is kept; a retracted one says so',
    parameters: [conditional('If-None-Match', 'The ETag that you have: 304 while it is still that')],
    responses: {
      200: documentAnswer('The document', ['ETag', 'Comparison-Revision']),
      304: { description: 'It is what you have', headers: refs(['ETag']) },
      ...refused('NoToken', 'Unknown', 'Changed', 'TooManyTries', 'Broken', 'Closed'),
    },
  },
  put: {
    operationId: 'putComparison',
    summary: 'Publishes a document, or its next revision',
    description:
      'Without a condition the document becomes the newest revision, whatever was there; a comparison that was retracted at the desk is only brought back with If-Match (428).',
    parameters: [
      conditional('If-Match', 'The ETag that you read: nothing is changed unless it is still that'),
      conditional('If-None-Match', '`*`: nothing is changed if there is a comparison with this slug'),
    ],
    requestBody: { required: true, content: json('Comparison') },
    responses: {
      200: documentAnswer('Updated, or unchanged: Comparison-Outcome says which', [...written]),
      201: documentAnswer('Created', [...written, 'Location']),
      ...refused('Malformed', 'NoToken', 'Changed', 'TooLarge', 'WrongType', 'Invalid', 'Retracted'),
      ...refused('TooManyTries', 'Broken', 'Closed'),
    },
  },
  delete: {
    operationId: 'retractComparison',
    summary: 'Retracts a comparison: it is in no later issue, and its page says that it was retracted',
    description: 'Nothing is forgotten. A PUT of a document without `retracted` brings it back.',
    parameters: [
      conditional('If-Match', 'The ETag that you read: nothing is changed unless it is still that'),
    ],
    responses: {
      204: { description: 'It is retracted, now or since long', headers: refs(['ETag']) },
      ...refused('NoToken', 'Unknown', 'Changed', 'TooManyTries', 'Broken', 'Closed'),
    },
  },
}

const headers = {
  ETag: header('A strong tag of the revision', { type: 'string' }),
  'Comparison-Revision': header('1 for what was created, one more with each change', {
    type: 'integer',
    minimum: 1,
  }),
  'Comparison-Outcome': header('What became of the document', { enum: ['created', 'updated', 'unchanged'] }),
  'Content-Location': header('What the body is the document of', { type: 'string', format: 'uri' }),
  Location: header('Where the new comparison is', { type: 'string', format: 'uri' }),
  'Retry-After': header('Seconds to wait', { type: 'integer' }),
  'WWW-Authenticate': header('How to show a token', { type: 'string' }),
  Allow: header('The methods that there are', { type: 'string' }),
}

type HeaderName = keyof typeof headers

function problemNames(): readonly ProblemName[] {
  return Object.keys(problems).filter((name): name is ProblemName => name in problems)
}

function headersOf(name: ProblemName): object {
  const of: Partial<Record<ProblemName, readonly HeaderName[]>> = {
    ...{ NoToken: ['WWW-Authenticate'], WrongMethod: ['Allow'], TooManyTries: ['Retry-After'] },
  }
  return refs(of[name] ?? [])
}

function refused(...names: readonly ProblemName[]): object {
  return Object.fromEntries(
    names.map((name) => [problems[name][0], { $ref: `#/components/responses/${name}` }]),
  )
}

function problemAnswer(name: ProblemName): object {
  const schema = { $ref: '#/components/schemas/Problem' }
  return { description: problems[name][1], content: { 'application/problem+json': { schema } } }
}

function documentAnswer(description: string, names: readonly HeaderName[]): object {
  return { description, headers: refs(names), content: json('Comparison') }
}

function json(schema: string): object {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } }
}

function refs(names: readonly HeaderName[]): object {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))
}

function header(description: string, schema: object): object {
  return { description, schema }
}

function conditional(name: string, description: string): object {
  return { name, in: 'header', description, schema: { type: 'string' } }
}

/** OpenAPI 3.1 has JSON Schema's dialect already. */
function withoutDialect(schema: object): object {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => name !== '$schema'))
}
