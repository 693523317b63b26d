import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { BadConfig, readConfig } from '../src/config.ts'

const secret = Buffer.alloc(32, 7).toString('base64')
const live = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://verdict:hunter2@db.example.com/verdict',
  PUBLIC_URL: 'https://verdicts.example.com',
  MAIL_TRANSPORT: 'resend',
  RESEND_API_KEY: 're_1234',
  MAIL_FROM: 'Verdicts <verdicts@example.com>',
  POSTAL_ADDRESS: '12 Example Street, Brooklyn, NY 11201, USA',
  SIGNING_KEYS: `k1:${secret}`,
  EDITORS: 'eve@example.com',
}

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 1024,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const dkim = { DKIM_DOMAIN: 'example.com', DKIM_SELECTOR: 'w1', DKIM_PRIVATE_KEY: privateKey }

describe('signing what goes over SMTP', () => {
  it('takes a domain, a selector and a key, here on one line', () => {
    const oneLine = privateKey.replaceAll('\n', '\\n')

    expect(readConfig({ ...dkim, DKIM_PRIVATE_KEY: oneLine }).mail.dkim).toEqual({
      ...{ domain: 'example.com', selector: 'w1', privateKey },
    })
    expect(readConfig({}).mail.dkim).toBeUndefined()
  })

  it.each([
    ['without its selector', { ...dkim, DKIM_SELECTOR: '' }, ['DKIM_SELECTOR']],
    ['with a selector alone', { DKIM_SELECTOR: 'w1' }, ['DKIM_DOMAIN', 'DKIM_PRIVATE_KEY']],
    ['with a domain that is none', { ...dkim, DKIM_DOMAIN: 'https://example.com' }, ['DKIM_DOMAIN']],
    ['for another domain than the sender’s', { ...dkim, DKIM_DOMAIN: 'example.org' }, ['DKIM_DOMAIN']],
    ['for a domain that only ends alike', { ...dkim, MAIL_FROM: 'v@myexample.com' }, ['DKIM_DOMAIN']],
    ['with a key that cannot be read', { ...dkim, DKIM_PRIVATE_KEY: '/nowhere.pem' }, ['DKIM_PRIVATE_KEY']],
  ])('is at fault %s', (_, environment, names) => {
    expect(faultsOf(environment).map(({ name }) => name)).toEqual(names)
  })

  it('may be done by the domain above the sender’s', () => {
    const sender = { MAIL_FROM: 'Verdicts <v@news.example.com>' }

    expect(readConfig({ ...dkim, ...sender }).mail.dkim?.domain).toBe('example.com')
  })
})

describe('an empty environment', () => {
  it('is the trial: an embedded database, mail in files, Friday at nine in New York', () => {
    expect(readConfig({})).toMatchObject({
      production: false,
      databaseUrl: undefined,
      dataDir: '.data',
      host: '127.0.0.1',
      port: 3000,
      publicUrl: 'http://localhost:3000',
      mail: { transport: 'outbox', from: 'Weekly AI Tool Verdicts <verdicts@example.com>' },
      signingKeys: undefined,
      editors: [],
      sendPolicy: 'auto',
      comparisons: { least: 1, most: 10 },
      fewestVotes: 5,
      calendar: {
        zone: 'America/New_York',
        draftAt: { weekday: 4, hour: 9, minute: 0 },
        sendAt: { weekday: 5, hour: 9, minute: 0 },
      },
    })
    expect(readConfig({}).sendGrace.toString()).toBe('PT36H')
  })

  it('is what empty variables are as well', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: ' ', TIMEZONE: '' })).toEqual(readConfig({}))
  })
})

describe('a variable', () => {
  it.each([
    ['PORT', '8080', { port: 8080, publicUrl: 'http://localhost:8080' }],
    ['PUBLIC_URL', 'https://news.example.com//', { publicUrl: 'https://news.example.com' }],
    ['EDITORS', ' Eve@Example.com, ,dan@example.com', { editors: ['eve@example.com', 'dan@example.com'] }],
    ['RESEND_WEBHOOK_SECRET', 'whsec_aaaa whsec_bbb=', { webhookSecrets: ['whsec_aaaa', 'whsec_bbb='] }],
    ['SIGNING_KEYS', `k1:${secret}`, { signingKeys: [{ id: 'k1', secret: Buffer.alloc(32, 7) }] }],
    ['MAIL_FROM', 'verdicts@example.com', { mail: { from: 'verdicts@example.com' } }],
    ['DRAFT_AT', 'SUN 23:59', { calendar: { draftAt: { weekday: 7, hour: 23, minute: 59 } } }],
    ['TIMEZONE', 'Pacific/Chatham', { calendar: { zone: 'Pacific/Chatham' } }],
    ['SEND_POLICY', 'approve', { sendPolicy: 'approve' }],
    ['MAX_COMPARISONS', '3', { comparisons: { least: 1, most: 3 } }],
    ['MIN_VOTES', '20', { fewestVotes: 20 }],
    ['DATABASE_URL', 'postgresql://a@b/c', { databaseUrl: 'postgresql://a@b/c' }],
  ])('%s=%s is understood', (name, value, meant) => {
    expect(readConfig({ [name]: value })).toMatchObject(meant)
  })

  it.each([
    ['DATABASE_URL', 'mysql://root@localhost/x', /postgres:\/\//],
    ['DATABASE_URL', 'localhost:5432', /postgres:\/\//],
    ['DATABASE_URL', 'postgres://%zz:[', /postgres:\/\//],
    ['PORT', '65536', /65535/],
    ['PORT', '-1', /port number/],
    ['PORT', '3000.5', /port number/],
    ['PUBLIC_URL', 'news.example.com', /http/],
    ['PUBLIC_URL', 'ftp://news.example.com', /http/],
    ['PUBLIC_URL', 'https://user@news.example.com', /http/],
    ['PUBLIC_URL', 'https://news example.com', /http/],
    ['MAIL_TRANSPORT', 'sendmail', /outbox, resend or smtp/],
    ['MAIL_FROM', 'nobody', /address/],
    ['MAIL_FROM', 'A <a@b>\r\nBcc: c@d', /address/],
    ['TIMEZONE', 'Mars/Olympus', /time zone/],
    ['TIMEZONE', '+02:00', /time zone/],
    ['DRAFT_AT', 'friday 9', /weekday and a time/],
    ['SEND_AT', 'fri 24:00', /weekday and a time/],
    ['SEND_POLICY', 'maybe', /auto or approve/],
    ['MIN_COMPARISONS', 'few', /whole number/],
    ['MIN_VOTES', '0', /at least 1/],
    ['MAX_COMPARISONS', '-1', /whole number/],
    ['SEND_GRACE', 'two days', /PT36H/],
    ['SEND_GRACE', 'P1M', /PT36H/],
    ['SEND_GRACE', '-PT1H', /PT36H/],
    ['SIGNING_KEYS', 'k1:short', /32 bytes/],
    ['RESEND_WEBHOOK_SECRET', 'secret', /whsec_/],
    ['RESEND_WEBHOOK_SECRET', 'whsec_not/base64!', /whsec_/],
    ['RESEND_FULL_ACCESS_KEY', 're_full', /real account/],
    ['RESEND_API_KEY', 're_1 2', /without white space/],
    ['API_TOKEN', 'short', /16 characters/],
    ['SMTP_URL', 'mail.example.com', /smtp:\/\//],
    ['LOG_LEVEL', 'loud', /./],
  ])('%s=%s is refused, with what is expected', (name, value, expected) => {
    const faults = faultsOf({ [name]: value })

    expect(faults).toEqual([{ name, problem: expect.stringMatching(expected) }])
  })
})

describe('several faults', () => {
  it('are named together', () => {
    const faults = faultsOf({ PORT: 'x', TIMEZONE: 'Mars', SEND_GRACE: 'long', EDITORS: 'eve@example.com' })

    expect(faults.map(({ name }) => name).toSorted()).toEqual(['PORT', 'SEND_GRACE', 'TIMEZONE'])
  })

  it('are named together with those that only show between variables', () => {
    const faults = faultsOf({
      TIMEZONE: 'Mars',
      MAIL_TRANSPORT: 'smtp',
      MIN_COMPARISONS: '9',
      MAX_COMPARISONS: '2',
    })

    expect(faults.map(({ name }) => name).toSorted()).toEqual(['MIN_COMPARISONS', 'SMTP_URL', 'TIMEZONE'])
  })

  it('are one for each variable: what is faulty is not called missing as well', () => {
    const faults = faultsOf({ ...live, PUBLIC_URL: 'news', SIGNING_KEYS: 'k1:short', RESEND_API_KEY: 'a b' })

    expect(faults.map(({ name }) => name).toSorted()).toEqual([
      'PUBLIC_URL',
      'RESEND_API_KEY',
      'SIGNING_KEYS',
    ])
  })
})

describe('what is secret', () => {
  it('is in no message', () => {
    const hidden = 'hunter2hunter2'
    const { message } = faultIn({
      DATABASE_URL: `mysql://root:${hidden}@localhost/x`,
      SIGNING_KEYS: `k1:${hidden}`,
      RESEND_API_KEY: `re ${hidden}`,
      RESEND_WEBHOOK_SECRET: hidden,
      SMTP_URL: `http://user:${hidden}@mail.example.com`,
      API_TOKEN: 'hunter2',
    })

    expect(message).not.toContain('hunter2')
    expect(message.split('\n')).toHaveLength(6)
  })
})

describe('live sending', () => {
  it('is allowed with everything set', () => {
    expect(readConfig(live)).toMatchObject({ production: true, mail: { transport: 'resend' } })
  })

  it.each([
    'DATABASE_URL',
    'PUBLIC_URL',
    'RESEND_API_KEY',
    'MAIL_FROM',
    'POSTAL_ADDRESS',
    'SIGNING_KEYS',
  ] as const)('is refused without %s', (name) => {
    expect(faultsOf({ ...live, [name]: undefined })).toEqual([
      { name, problem: expect.stringContaining('is needed') },
    ])
  })

  it.each([
    ['links that are not https', { PUBLIC_URL: 'http://verdicts.example.com' }, 'PUBLIC_URL'],
    ['another host for Resend', { RESEND_BASE_URL: 'http://127.0.0.1:9' }, 'RESEND_BASE_URL'],
    ['nobody who could approve', { SEND_POLICY: 'approve', EDITORS: undefined }, 'EDITORS'],
  ])('is refused with %s', (_, change, name) => {
    expect(faultsOf({ ...live, ...change }).map((fault) => fault.name)).toEqual([name])
  })

  it('goes to another host for Resend where that is said twice', () => {
    const config = readConfig({
      ...live,
      RESEND_BASE_URL: 'http://127.0.0.1:9',
      ALLOW_RESEND_BASE_URL: '1',
    })

    expect(config.mail.resendBaseUrl).toBe('http://127.0.0.1:9')
  })
})

describe('outside production', () => {
  it.each([
    ['Resend itself', { MAIL_TRANSPORT: 'resend', RESEND_API_KEY: 're_1' }],
    [
      'another machine',
      { MAIL_TRANSPORT: 'resend', RESEND_API_KEY: 're_1', RESEND_BASE_URL: 'http://10.0.0.1' },
    ],
    [
      'a name that only begins like this machine',
      { MAIL_TRANSPORT: 'resend', RESEND_API_KEY: 're_1', RESEND_BASE_URL: 'http://127.0.0.1.example.com' },
    ],
    ['a mail server', { MAIL_TRANSPORT: 'smtp', SMTP_URL: 'smtp://mail.example.com' }],
  ])('no mail goes to %s', (_, environment) => {
    expect(faultsOf(environment)).toEqual([
      { name: 'MAIL_TRANSPORT', problem: expect.stringContaining('NODE_ENV=production') },
    ])
  })

  it.each([
    { MAIL_TRANSPORT: 'resend', RESEND_API_KEY: 're_1', RESEND_BASE_URL: 'http://127.0.0.1:4010' },
    { MAIL_TRANSPORT: 'resend', RESEND_API_KEY: 're_1', RESEND_BASE_URL: 'http://[::1]:4010' },
    { MAIL_TRANSPORT: 'smtp', SMTP_URL: 'smtp://localhost:2525' },
  ])('it may go to this machine: %o', (environment) => {
    expect(readConfig(environment).mail.transport).toBe(environment.MAIL_TRANSPORT)
  })
})

function faultIn(environment: Record<string, string | undefined>): BadConfig {
  try {
    readConfig(environment)
  } catch (error) {
    if (error instanceof BadConfig) return error
    throw error
  }
  throw new Error('Nothing was at fault')
}

function faultsOf(environment: Record<string, string | undefined>) {
  return faultIn(environment).faults
}

describe('a limit to the mails of a day', () => {
  it('is a quota, a curve for the first days of a new domain, or both', () => {
    expect(readConfig({}).dailyLimit).toBeUndefined()
    expect(readConfig({ DAILY_QUOTA: '100' }).dailyLimit).toEqual({ quota: 100, warmUp: [] })
    expect(readConfig({ WARM_UP: '200, 500,1000' }).dailyLimit).toEqual({
      quota: undefined,
      warmUp: [200, 500, 1000],
    })
  })

  it.each([
    ['DAILY_QUOTA', '0'],
    ['DAILY_QUOTA', 'many'],
    ['WARM_UP', '200,,500'],
    ['WARM_UP', '200,0'],
  ])('is refused by name when %s is %s', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(name)
  })
})
