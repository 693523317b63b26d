import { setTimeout as wait } from 'node:timers/promises'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { wakeThrough } from '../src/wake.ts'

const log = pino({ level: 'silent' })

describe('waking a worker', () => {
  it('happens at once, then at most every half second, and the last asking is not lost', async () => {
    const { asked, wake } = bell()

    for (let times = 0; times < 1_000; times++) wake('take-in-sign-ups')
    wake('send-letters')
    expect(asked).toEqual(['take-in-sign-ups', 'send-letters'])

    await until(() => asked.length > 2)
    await wait(1_100)
    expect(asked).toEqual(['take-in-sign-ups', 'send-letters', 'take-in-sign-ups'])
  })

  it('ends when the process stops', async () => {
    const { asked, wake, stopping } = bell()
    wake('send-letters')
    wake('send-letters')

    stopping.abort()
    wake('take-in-sign-ups')
    await wait(700)

    expect(asked).toEqual(['send-letters'])
  })

  it('does not harm who asks when the queue is away', async () => {
    const enqueue = () => Promise.reject(new Error('the database is away'))

    expect(() => wakeThrough({ enqueue }, log, new AbortController().signal)('send-letters')).not.toThrow()
    await wait(10)
  })
})

function bell() {
  const asked: string[] = []
  const stopping = new AbortController()
  const enqueue = async (job: string) => void asked.push(job)
  return { asked, stopping, wake: wakeThrough({ enqueue }, log, stopping.signal) }
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; !isTrue() && tries < 500; tries++) await wait(20)
}
