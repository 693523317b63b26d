import { destination, type Logger, pino } from 'pino'

export type Log = Logger

/** Structured lines on stderr, ids and counts only: never an address, a token or a subject (S24). */
export function createLog(level: string): Log {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: withoutData } },
    destination({ fd: 2, sync: true }),
  )
}

/** What an error is and where it came from. Database errors carry rows and parameters besides, and those are people. */
export function withoutData(error: unknown): object {
  if (!(error instanceof Error)) return { message: strike(String(error)) }
  const code = 'code' in error ? String(error.code) : undefined
  return { type: error.name, code, message: strike(error.message), stack: strike(error.stack ?? '') }
}

function strike(text: string): string {
  return text.replace(/[^\s"'<>()=,]+@[^\s"'<>()=,]+/g, '…@…')
}
