import { z } from 'zod'
import type { Calendar, WallTime } from './clock.ts'
import type { DailyLimit } from './delivery/daily-limit.ts'
import { parseRange, type Range } from './http/client-address.ts'
import { type DkimKey, readDkimKey } from './mail/dkim.ts'
import { readSmtpUrl } from './mail/smtp-url.ts'
import { parseSigningKeys, type SigningKey } from './subscriber/token.ts'
import { fewestVotes } from './verdict/vote.ts'

/** What the environment says, parsed and complete (CONTRACT: Environment). Read once; functions are handed what they use. */
export type Config = {
  readonly production: boolean
  readonly databaseUrl: string | undefined
  readonly dataDir: string
  readonly host: string
  readonly port: number
  readonly publicUrl: string
  readonly mail: {
    readonly transport: 'outbox' | 'resend' | 'smtp'
    readonly from: string
    readonly replyTo: string | undefined
    readonly resendApiKey: string | undefined
    readonly resendBaseUrl: string | undefined
    readonly smtpUrl: string | undefined
    /** Signs what goes over SMTP; Resend signs by itself. */
    readonly dkim: DkimKey | undefined
  }
  /** May read the account at Resend; only commands use it, the sender has `mail.resendApiKey`. */
  readonly resendFullAccessKey: string | undefined
  /** Secrets that sign the provider's webhooks; several during a rotation. */
  readonly webhookSecrets: readonly string[]
  readonly apiToken: string | undefined
  readonly postalAddress: string
  /** Undefined when none are set: development generates its own under `dataDir`. */
  readonly signingKeys: readonly SigningKey[] | undefined
  readonly editors: readonly string[]
  readonly calendar: Calendar
  readonly sendPolicy: 'auto' | 'approve'
  readonly comparisons: { readonly least: number; readonly most: number }
  /** Fewer votes than this are no result. */
  readonly fewestVotes: number
  readonly sendGrace: Temporal.Duration
  /** Undefined where a day has no limit. */
  readonly dailyLimit: DailyLimit | undefined
  /** Proxies of ours: what they say of a request's origin is believed. */
  readonly trustedProxies: readonly Range[]
  /** What a sign-up is asked for besides the address. */
  readonly challenge: 'none' | 'altcha'
  readonly logLevel: string
  /** The Chromium that looks at editions; undefined for one in a usual place, `none` for no look. */
  readonly chromiumPath: string | undefined
}

/** One thing wrong with the environment: which variable, what is wrong, and what to do. Never the value of a secret. */
export type ConfigFault = { readonly name: string; readonly problem: string }

/** Thrown with every fault of the environment at once. */
export class BadConfig extends Error {
  override readonly name = 'BadConfig'
  readonly faults: readonly ConfigFault[]
  constructor(faults: readonly ConfigFault[]) {
    super(faults.map((fault) => `${fault.name}: ${fault.problem}`).join('\n'))
    this.faults = faults
  }
}

/** Stand-ins that let the product be tried; production refuses them. */
export const developmentDefaults = {
  MAIL_FROM: 'Weekly AI Tool Verdicts <verdicts@example.com>',
  POSTAL_ADDRESS: 'Weekly AI Tool Verdicts, 1 Example Street, Example Town 00000',
} as const

/** Parses the environment. Throws `BadConfig` that names every problem together. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()))
  const result = variables.safeParse(given)
  const faults = result.success ? togetherFaults(result.data, given) : allFaults(result.error, given)
  if (!result.success || faults.length > 0) throw new BadConfig(faults)
  return toConfig(result.data)
}

/** The faulty variables, and what the sound ones among themselves are at fault with. */
function allFaults(error: z.ZodError, given: Readonly<Record<string, unknown>>): readonly ConfigFault[] {
  const alone = error.issues.map(toFault)
  const names = new Set(alone.map((fault) => fault.name))
  const sound = variables.safeParse(
    Object.fromEntries(Object.entries(given).filter(([name]) => !names.has(name))),
  )
  const together = sound.success ? togetherFaults(sound.data, given) : []
  return [...alone, ...together.filter((fault) => !names.has(fault.name))]
}

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

const wallTime = z.string().transform((value, context): WallTime => {
  const [, day, hour, minute] =
    /^(mon|tue|wed|thu|fri|sat|sun) ([01]\d|2[0-3]):([0-5]\d)$/i.exec(value.trim()) ?? []
  if (day)
    return { weekday: weekdays.indexOf(day.toLowerCase()) + 1, hour: Number(hour), minute: Number(minute) }
  context.addIssue('expected a weekday and a time such as "fri 09:00"')
  return z.NEVER
})

const zone = z.string().refine(isZone, 'expected an IANA time zone such as America/New_York')

const webUrl = z
  .string()
  .refine(
    (value) => /^https?:\/\/[^\s@]+$/.test(value) && URL.canParse(value),
    'expected an http:// or https:// URL',
  )
  .transform((value) => value.replace(/\/+$/, ''))

const mailbox = z
  .string()
  .regex(
    /^(?:[^<>@\p{Cc}]+ <[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/u,
    'expected an address, or a name and an address: Weekly AI Tool Verdicts <verdicts@example.com>',
  )

const count = z
  .string()
  .regex(/^\d{1,4}$/, 'expected a whole number')
  .transform(Number)

/** Base64, because a secret that cannot be decoded would only show with the first webhook. */
const webhookSecret = /^whsec_(?=.)(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

const mailsADay = z
  .string()
  .regex(/^[1-9]\d{0,8}$/, 'expected a number of mails')
  .transform(Number)

const variables = z.object({
  NODE_ENV: z.string().optional(),
  DATABASE_URL: z
    .string()
    .refine(isPostgresUrl, 'expected postgres://user:password@host:port/database')
    .optional(),
  DATA_DIR: z.string().default('.data'),
  HOST: z.string().default('127.0.0.1'),
  PORT: z
    .string()
    .regex(/^\d+$/, 'expected a port number')
    .transform(Number)
    .refine((port) => port <= 65535, 'expected a port number of at most 65535')
    .default(3000),
  PUBLIC_URL: webUrl.optional(),
  MAIL_TRANSPORT: z.enum(['outbox', 'resend', 'smtp'], 'expected outbox, resend or smtp').default('outbox'),
  MAIL_FROM: mailbox.default(developmentDefaults.MAIL_FROM),
  MAIL_REPLY_TO: mailbox.optional(),
  POSTAL_ADDRESS: z.string().trim().min(1).default(developmentDefaults.POSTAL_ADDRESS),
  RESEND_API_KEY: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'expected a key without white space')
    .optional(),
  RESEND_FULL_ACCESS_KEY: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'expected a key without white space')
    .optional(),
  RESEND_BASE_URL: webUrl.optional(),
  ALLOW_RESEND_BASE_URL: z.string().optional(),
  SMTP_URL: z
    .string()
    .superRefine((value, context) => {
      const server = readSmtpUrl(value)
      if ('problem' in server) context.addIssue(server.problem)
    })
    .optional(),
  DKIM_DOMAIN: z
    .string()
    .regex(/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i, 'expected a domain such as news.example.com')
    .toLowerCase()
    .optional(),
  DKIM_SELECTOR: z
    .string()
    .regex(
      /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i,
      'expected a name such as s1, as it stands before ._domainkey in the DNS',
    )
    .optional(),
  DKIM_PRIVATE_KEY: z
    .string()
    .transform((value, context) => {
      const key = readDkimKey(value)
      if (key) return key
      context.addIssue(
        'expected an RSA private key of 1024 bits or more as PEM, or the path of a file with one; make one with: openssl genrsa 2048',
      )
      return z.NEVER
    })
    .optional(),
  RESEND_WEBHOOK_SECRET: z
    .string()
    .transform((value) => value.split(' '))
    .refine(
      (secrets) => secrets.every((secret) => webhookSecret.test(secret)),
      'expected whsec_… as Resend shows it, several separated by spaces',
    )
    .default([]),
  API_TOKEN: z.string().min(16, 'expected at least 16 characters').optional(),
  SIGNING_KEYS: z
    .string()
    .transform((value, context) => {
      const keys = parseSigningKeys(value)
      if (keys) return keys
      context.addIssue(
        'expected id:base64 pairs, comma-separated, each key of 32 bytes or more; make one with: openssl rand -base64 32',
      )
      return z.NEVER
    })
    .optional(),
  EDITORS: z.string().transform(splitList).default([]),
  TIMEZONE: zone.default('America/New_York'),
  DRAFT_AT: wallTime.default({ weekday: 4, hour: 9, minute: 0 }),
  SEND_AT: wallTime.default({ weekday: 5, hour: 9, minute: 0 }),
  SEND_POLICY: z.enum(['auto', 'approve'], 'expected auto or approve').default('auto'),
  MIN_COMPARISONS: count.default(1),
  MIN_VOTES: count.refine((least) => least > 0, 'expected at least 1').default(fewestVotes),
  MAX_COMPARISONS: count.default(10),
  SEND_GRACE: z
    .string()
    .refine(isPositiveDuration, 'expected an ISO 8601 duration of hours or minutes such as PT36H')
    .default('PT36H'),
  DAILY_QUOTA: mailsADay.optional(),
  WARM_UP: z
    .string()
    .regex(
      /^\s*[1-9]\d{0,8}(\s*,\s*[1-9]\d{0,8})*\s*$/,
      'expected mails a day, comma-separated: 200,500,1000,2500',
    )
    .transform((value) => splitList(value).map(Number))
    .default([]),
  TRUSTED_PROXIES: z
    .string()
    .transform((value, context) => {
      const ranges = splitList(value).map(parseRange)
      if (ranges.every((range) => range !== undefined)) return ranges
      context.addIssue('expected addresses or CIDR ranges, comma-separated, such as 10.0.0.0/8,::1')
      return z.NEVER
    })
    .default([]),
  CHALLENGE: z.enum(['none', 'altcha'], 'expected none or altcha').default('none'),
  CHROMIUM_PATH: z.string().optional(),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
})

type Variables = z.infer<typeof variables>

/** What only shows when variables are seen together. */
function togetherFaults(v: Variables, given: Readonly<Record<string, unknown>>): readonly ConfigFault[] {
  const production = v.NODE_ENV === 'production'
  const faults: ConfigFault[] = []
  const need = (name: string, why: string) => {
    if (!given[name]) faults.push({ name, problem: why })
  }
  if (v.MAIL_TRANSPORT === 'resend') need('RESEND_API_KEY', 'is needed when MAIL_TRANSPORT is resend')
  if (v.MAIL_TRANSPORT === 'smtp') need('SMTP_URL', 'is needed when MAIL_TRANSPORT is smtp')
  faults.push(...dkimFaults(v))
  if (v.MIN_COMPARISONS > v.MAX_COMPARISONS)
    faults.push({ name: 'MIN_COMPARISONS', problem: `is more than MAX_COMPARISONS (${v.MAX_COMPARISONS})` })
  if (!production && leavesThisMachine(v))
    faults.push({
      name: 'MAIL_TRANSPORT',
      problem:
        'sends real mail: set NODE_ENV=production for that, or point RESEND_BASE_URL or SMTP_URL at this machine to try it',
    })
  if (!production && v.RESEND_FULL_ACCESS_KEY && !isLoopback(v.RESEND_BASE_URL ?? 'https://api.resend.com'))
    faults.push({
      name: 'RESEND_FULL_ACCESS_KEY',
      problem:
        'opens a real account: set NODE_ENV=production for that, or point RESEND_BASE_URL at this machine to try it',
    })
  if (production && v.SEND_POLICY === 'approve')
    need('EDITORS', 'is empty, and SEND_POLICY=approve needs somebody who approves')
  if (production && v.MAIL_TRANSPORT !== 'outbox') {
    need('DATABASE_URL', 'is needed in production: the embedded database refuses live sending')
    need('PUBLIC_URL', 'is needed in production: links in mail begin with it')
    need('MAIL_FROM', 'is needed in production: the development value is refused')
    need('POSTAL_ADDRESS', 'is needed in production: the law wants a real one in every mail')
    need('SIGNING_KEYS', 'is needed in production: without it links would stop working on another machine')
    if (v.PUBLIC_URL && !v.PUBLIC_URL.startsWith('https://'))
      faults.push({ name: 'PUBLIC_URL', problem: 'must be https:// in production (RFC 8058 one-click)' })
    if (v.RESEND_BASE_URL && v.ALLOW_RESEND_BASE_URL !== '1')
      faults.push({
        name: 'RESEND_BASE_URL',
        problem: 'is refused in production unless ALLOW_RESEND_BASE_URL=1',
      })
  }
  return faults
}

/** All three or none, and for the sender's own domain: DMARC takes no other. */
function dkimFaults(v: Variables): readonly ConfigFault[] {
  const names = ['DKIM_DOMAIN', 'DKIM_SELECTOR', 'DKIM_PRIVATE_KEY'] as const
  const missing = names.filter((name) => v[name] === undefined)
  if (missing.length === names.length) return []
  if (missing.length > 0)
    return missing.map((name) => ({
      name,
      problem: 'is needed too: signing takes all three DKIM_ variables',
    }))
  const sender = v.MAIL_FROM.replace(/^.*@|>$/g, '').toLowerCase()
  if (`.${sender}`.endsWith(`.${v.DKIM_DOMAIN}`)) return []
  return [{ name: 'DKIM_DOMAIN', problem: `is not the domain of MAIL_FROM (${sender}) nor one above it` }]
}

/** Whether mail would go to another machine: outside production that is never meant (RELIABILITY S27). */
function leavesThisMachine(v: Variables): boolean {
  if (v.MAIL_TRANSPORT === 'resend') return !isLoopback(v.RESEND_BASE_URL ?? 'https://api.resend.com')
  return v.MAIL_TRANSPORT === 'smtp' && v.SMTP_URL !== undefined && !isLoopback(v.SMTP_URL)
}

function isLoopback(url: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(new URL(url).hostname)
}

function toConfig(v: Variables): Config {
  return {
    production: v.NODE_ENV === 'production',
    databaseUrl: v.DATABASE_URL,
    dataDir: v.DATA_DIR,
    host: v.HOST,
    port: v.PORT,
    publicUrl: v.PUBLIC_URL ?? `http://localhost:${v.PORT}`,
    mail: {
      transport: v.MAIL_TRANSPORT,
      from: v.MAIL_FROM,
      replyTo: v.MAIL_REPLY_TO,
      resendApiKey: v.RESEND_API_KEY,
      resendBaseUrl: v.RESEND_BASE_URL,
      smtpUrl: v.SMTP_URL,
      dkim: dkimOf(v),
    },
    resendFullAccessKey: v.RESEND_FULL_ACCESS_KEY,
    webhookSecrets: v.RESEND_WEBHOOK_SECRET,
    apiToken: v.API_TOKEN,
    postalAddress: v.POSTAL_ADDRESS,
    signingKeys: v.SIGNING_KEYS,
    editors: v.EDITORS,
    calendar: { zone: v.TIMEZONE, draftAt: v.DRAFT_AT, sendAt: v.SEND_AT },
    sendPolicy: v.SEND_POLICY,
    comparisons: { least: v.MIN_COMPARISONS, most: v.MAX_COMPARISONS },
    fewestVotes: v.MIN_VOTES,
    sendGrace: Temporal.Duration.from(v.SEND_GRACE),
    dailyLimit:
      v.DAILY_QUOTA === undefined && v.WARM_UP.length === 0
        ? undefined
        : { quota: v.DAILY_QUOTA, warmUp: v.WARM_UP },
    trustedProxies: v.TRUSTED_PROXIES,
    challenge: v.CHALLENGE,
    logLevel: v.LOG_LEVEL,
    chromiumPath: v.CHROMIUM_PATH,
  }
}

function dkimOf(v: Variables): DkimKey | undefined {
  const { DKIM_DOMAIN: domain, DKIM_SELECTOR: selector, DKIM_PRIVATE_KEY: privateKey } = v
  return domain && selector && privateKey ? { domain, selector, privateKey } : undefined
}

function toFault(issue: z.core.$ZodIssue): ConfigFault {
  return { name: String(issue.path[0]), problem: issue.message }
}

function splitList(value: string): readonly string[] {
  return value
    .split(',')
    .map((item) => item.trim().toLowerCase())
    .filter((item) => item !== '')
}

function isZone(value: string): boolean {
  try {
    Temporal.Now.zonedDateTimeISO(value)
    return /^[A-Za-z]/.test(value)
  } catch {
    return false
  }
}

function isPostgresUrl(value: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(value) && URL.canParse(value)
}

function isPositiveDuration(value: string): boolean {
  try {
    const duration = Temporal.Duration.from(value)
    return duration.sign > 0 && duration.years + duration.months + duration.weeks === 0
  } catch {
    return false
  }
}
