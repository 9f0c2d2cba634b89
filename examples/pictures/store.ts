import {
  GetObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { signatureLength } from './bytes.ts';
import type { NewPicture } from './contents.ts';
import { linkSeconds } from './limits.ts';

/** A request that a page makes to S3: it sends the picture as the body, with exactly these headers. */
export interface Upload {
  readonly url: string;
  readonly method: 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresAt: number;
}

export interface Link {
  readonly url: string;
  readonly expiresAt: number;
}

/** What S3 keeps with a picture. The upload is signed with it, so the one who uploads cannot change it. */
export type StoredPicture = Omit<NewPicture, 'sha256' | 'contentType'> & {
  readonly contentType: string;
  readonly sha256: string | undefined;
};

/** Pictures in a bucket. No picture goes through a function. */
export interface PictureStore {
  readonly prepareUpload: (key: string, picture: NewPicture) => Promise<Upload>;
  /** `undefined`: nothing has been uploaded under this key, or it has expired. */
  readonly find: (key: string) => Promise<StoredPicture | undefined>;
  readonly firstBytes: (key: string) => Promise<Uint8Array>;
  readonly link: (key: string) => Promise<Link>;
}

export interface BucketOptions {
  readonly bucket: string;
  readonly now: () => number;
  readonly client?: S3Client;
}

export function picturesInBucket({ bucket, now, client = new S3Client({}) }: BucketOptions): PictureStore {
  const place = (key: string) => ({ Bucket: bucket, Key: key });
  const expiry = () => ({ expiresIn: linkSeconds, signingDate: new Date(now()) });
  const expiresAt = () => now() + linkSeconds * 1000;

  return {
    /**
     * S3 holds the page to the signed headers: another length, type, checksum or description has another signature.
     * `If-None-Match` lets the URL be used once. A POST policy would allow a range of lengths, which nothing needs.
     * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
     * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
     * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
     */
    async prepareUpload(key, { contentType, bytes, sha256, ...described }) {
      const metadata = writeMetadata(described);
      const amzHeaders = {
        'x-amz-checksum-sha256': sha256,
        ...Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
      };
      const command = new PutObjectCommand({
        ...place(key),
        ContentType: contentType,
        ContentLength: bytes,
        ChecksumSHA256: sha256,
        IfNoneMatch: '*',
        Metadata: metadata,
      });
      const url = await getSignedUrl(client, command, {
        ...expiry(),
        // The signer leaves the type out by itself, and moves these headers into the address, where S3 checks nothing.
        // https://github.com/aws/aws-sdk-js-v3/tree/main/packages/s3-request-presigner
        signableHeaders: new Set(['content-type']),
        unhoistableHeaders: new Set(Object.keys(amzHeaders)),
      });
      const headers = { 'content-type': contentType, 'if-none-match': '*', ...amzHeaders };
      return { url, method: 'PUT', headers, expiresAt: expiresAt() };
    },
    async find(key) {
      try {
        return readPicture(
          await client.send(new HeadObjectCommand({ ...place(key), ChecksumMode: 'ENABLED' })),
        );
      } catch (cause) {
        // Without the right to list a bucket, a missing object is 403.
        // https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
        const status = cause instanceof S3ServiceException ? cause.$metadata.httpStatusCode : undefined;
        if (status === 404 || status === 403) return undefined;
        throw cause;
      }
    },
    async firstBytes(key) {
      const Range = `bytes=0-${signatureLength - 1}`;
      const { Body } = await client.send(new GetObjectCommand({ ...place(key), Range }));
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    },
    async link(key) {
      return {
        url: await getSignedUrl(client, new GetObjectCommand(place(key)), expiry()),
        expiresAt: expiresAt(),
      };
    },
  };
}

type Described = Pick<NewPicture, 'to' | 'name' | 'width' | 'height'>;

/** Headers hold ASCII only, so the name of a file is encoded. */
function writeMetadata({ to, name, width, height }: Described): Record<string, string> {
  const encoded = name === undefined ? {} : { name: encodeURIComponent(name) };
  return { to, width: String(width), height: String(height), ...encoded };
}

function readPicture(head: HeadObjectCommandOutput): StoredPicture {
  const { to = '', width, height, name } = head.Metadata ?? {};
  return {
    to,
    width: Number(width),
    height: Number(height),
    ...(name === undefined ? {} : { name: decodeURIComponent(name) }),
    contentType: head.ContentType ?? '',
    bytes: head.ContentLength ?? 0,
    sha256: head.ChecksumSHA256,
  };
}
