/** What each destination asks for. The server decides what is right; this is the form for it. */
import type { Message } from '../base/i18n.js';
import { iconPath } from '../base/icons.js';

export interface Field {
  name: string;
  label: Message;
  kind?: 'secret' | 'area' | 'check' | 'number' | 'secret-area';
  options?: readonly string[];
  required?: boolean;
  placeholder?: string;
  hint?: Message;
  /** A member that the server assigned to this tenant and that goes with this one. */
  assigned?: 'external_id';
}

export interface Destination {
  /** Its name in addresses; the type's unless several share one. */
  name?: string;
  type: string;
  /** Members that are not for choice. */
  preset?: Readonly<Record<string, string>>;
  title: string;
  about: Message;
  /** A path of the icon grid. */
  icon: string;
  formats: readonly string[];
  fields: readonly Field[];
}

const JSON_FORMATS = ['recount', 'ocsf', 'ocsf-1.1.0'];
const ALL_FORMATS = [...JSON_FORMATS, 'cef'];

export const FORMAT_NAMES: Record<string, string> = { recount: 'Recount JSON', ocsf: 'OCSF 1.8', 'ocsf-1.1.0': 'OCSF 1.1', cef: 'CEF' };

const bucket = 'M3 7l1.8 12.2A2 2 0 0 0 6.8 21h10.4a2 2 0 0 0 2-1.8L21 7M3 7c0-1.7 4-3 9-3s9 1.3 9 3-4 3-9 3-9-1.3-9-3';
const hook = 'M18 16.98h-5.99c-1.1 0-1.95.94-2.48 1.9A4 4 0 0 1 2 17c.01-.7.2-1.4.57-2m3.43 2 3.13-5.78c.53-.97.1-2.18-.5-3.1a4 4 0 1 1 6.89-4.06M12 6l3.13 5.73C15.66 12.7 16.9 13 18 13a4 4 0 0 1 0 8';
const pulse = 'M22 12h-4l-3 9L9 3l-3 9H2';
const layers = 'm12 3 9 5-9 5-9-5 9-5M3 13l9 5 9-5';
const terminal = 'm4 17 6-6-6-6m8 14h8';
const shield = 'M20 13c0 5-3.5 7.5-7.66 8.95a1 1 0 0 1-.67-.01C7.5 20.5 4 18 4 13V6a1 1 0 0 1 1-1c2 0 4.5-1.2 6.24-2.72a1.17 1.17 0 0 1 1.52 0C14.51 3.81 17 5 19 5a1 1 0 0 1 1 1z';
const globe = 'M2 12a10 10 0 1 0 20 0a10 10 0 1 0-20 0M12 2a14.5 14.5 0 0 0 0 20 14.5 14.5 0 0 0 0-20M2 12h20';

export const DESTINATIONS: readonly Destination[] = [
  {
    type: 's3', title: 'Amazon S3', about: 'Buckets of S3 and compatible stores, as JSON lines or Parquet', icon: bucket, formats: JSON_FORMATS,
    fields: [
      { name: 'bucket', label: 'Bucket', required: true, placeholder: 'acme-audit-log' },
      { name: 'region', label: 'Region', placeholder: 'us-east-1' },
      { name: 'endpoint', label: 'Endpoint', placeholder: 'https://…', hint: 'Only for other S3-compatible services.' },
      { name: 'access_key_id', label: 'Access key id' },
      { name: 'secret_access_key', label: 'Secret access key', kind: 'secret' },
      { name: 'role_arn', label: 'Role to assume instead of a key', placeholder: 'arn:aws:iam::…', assigned: 'external_id' },
      { name: 'prefix', label: 'Folder', placeholder: 'recount/tenant={tenant}/dt={dt}/hour={hour}' },
      { name: 'file', label: 'Files', options: ['ndjson.gz', 'parquet'] },
    ],
  },
  {
    name: 'security-lake', type: 's3', title: 'Amazon Security Lake', about: 'A custom source of your lake, as OCSF in Parquet', icon: shield, formats: ['ocsf-1.1.0', 'ocsf'],
    preset: { layout: 'security_lake', file: 'parquet' },
    fields: [
      { name: 'bucket', label: 'Bucket', required: true, placeholder: 'aws-security-data-lake-eu-central-1-…' },
      { name: 'region', label: 'Region', required: true, placeholder: 'eu-central-1' },
      { name: 'source', label: 'Custom source', required: true, placeholder: 'recount', hint: 'Its name as registered in the lake.' },
      { name: 'account_id', label: 'Account of the events', required: true, placeholder: '123456789012' },
      { name: 'role_arn', label: 'Role to assume', required: true, placeholder: 'arn:aws:iam::…', hint: 'The provider role that the lake made for the custom source.', assigned: 'external_id' },
    ],
  },
  {
    type: 'webhook', title: 'Webhook', about: 'Signed requests to an address of yours (Standard Webhooks)', icon: hook, formats: JSON_FORMATS,
    fields: [
      { name: 'url', label: 'Address', required: true, placeholder: 'https://…' },
      { name: 'secret', label: 'Signing secret', kind: 'secret', placeholder: 'whsec_…', hint: 'Made for you if left empty; shown once.' },
      { name: 'payload', label: 'Requests carry', options: ['batch', 'single'] },
    ],
  },
  {
    type: 'splunk', title: 'Splunk', about: 'HTTP Event Collector', icon: iconPath('search'), formats: ALL_FORMATS,
    fields: [
      { name: 'url', label: 'Collector', required: true, placeholder: 'https://http-inputs-acme.splunkcloud.com' },
      { name: 'token', label: 'Token', kind: 'secret', required: true },
      { name: 'index', label: 'Index', hint: 'The token’s default if left empty.' },
      { name: 'acknowledge', label: 'Wait for indexer acknowledgement', kind: 'check' },
    ],
  },
  {
    type: 'elasticsearch', title: 'Elasticsearch', about: 'Elasticsearch and OpenSearch, through _bulk', icon: layers, formats: JSON_FORMATS,
    fields: [
      { name: 'url', label: 'Cluster', required: true, placeholder: 'https://…:9200' },
      { name: 'index', label: 'Index', placeholder: 'recount-audit' },
      { name: 'api_key', label: 'API key', kind: 'secret' },
      { name: 'username', label: 'User', hint: 'Instead of an API key.' },
      { name: 'password', label: 'Password', kind: 'secret' },
    ],
  },
  {
    type: 'datadog', title: 'Datadog', about: 'Logs intake', icon: pulse, formats: ALL_FORMATS,
    fields: [
      { name: 'site', label: 'Site', options: ['datadoghq.com', 'us3.datadoghq.com', 'us5.datadoghq.com', 'datadoghq.eu', 'ap1.datadoghq.com', 'ap2.datadoghq.com', 'ddog-gov.com'] },
      { name: 'api_key', label: 'API key', kind: 'secret', required: true },
      { name: 'url', label: 'Endpoint', placeholder: 'https://…', hint: 'Only for a proxy of your own.' },
    ],
  },
  {
    type: 'syslog', title: 'Syslog', about: 'RFC 5424 over TLS. A write is not a confirmation: syslog has none', icon: terminal, formats: ALL_FORMATS,
    fields: [
      { name: 'host', label: 'Host', required: true, placeholder: 'siem.example.com' },
      { name: 'port', label: 'Port', kind: 'number', placeholder: '6514' },
      { name: 'ca', label: 'Certificate authority (PEM)', kind: 'area', hint: 'Only if it is not a public one.' },
      { name: 'client_certificate', label: 'Client certificate (PEM)', kind: 'area' },
      { name: 'client_key', label: 'Client key (PEM)', kind: 'secret-area' },
    ],
  },
  {
    type: 'https', title: 'HTTPS', about: 'Batches to any HTTPS collector: Sumo Logic, Panther, New Relic, …', icon: globe, formats: ALL_FORMATS,
    fields: [
      { name: 'url', label: 'Address', required: true, placeholder: 'https://…' },
      { name: 'method', label: 'Method', options: ['POST', 'PUT'] },
      { name: 'header', label: 'Authorization header', kind: 'secret', placeholder: 'Bearer …' },
      { name: 'body', label: 'Body', options: ['ndjson', 'array'] },
      { name: 'compression', label: 'Compression', options: ['gzip', 'none'] },
    ],
  },
];

export const nameOf = (destination: Destination): string => destination.name ?? destination.type;

/** What kind of destination a stream's is. */
export const kindOf = (config: Readonly<Record<string, unknown>>): Destination | undefined =>
  DESTINATIONS.find(({ type, preset }) => type === config['type'] && preset && Object.entries(preset).every(([name, value]) => config[name] === value))
  ?? DESTINATIONS.find(({ type }) => type === config['type']);

/** The form's texts as the API's `destination`: empty ones left out, so that defaults hold. */
export function destinationOf(destination: Destination, data: FormData): Record<string, unknown> {
  const config: Record<string, unknown> = { type: destination.type, ...destination.preset };
  for (const { name, kind } of destination.fields) {
    const value = String(data.get(`d.${name}`) ?? '').trim();
    if (kind === 'check') config[name] = data.has(`d.${name}`);
    else if (!value) continue;
    else if (name === 'header') {
      config['headers'] = { authorization: '{secret.authorization}' };
      config['secrets'] = { authorization: value };
    } else config[name] = kind === 'number' ? Number(value) : value;
  }
  return config;
}
