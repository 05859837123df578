// What the page says, in Korean and English.

export const WORDS = {
  ko: {
    heading: "개체명 찾기",
    about: "글에서 개체명을 찾습니다. 모델은 이 브라우저 안에서 돌고, 적은 글은 아무 데도 보내지 않습니다.",
    text: "글",
    example: "손흥민은 춘천에서 태어났다.",
    loading: "모델을 읽는 중입니다…",
    none: "찾은 개체명이 없습니다.",
    found: (count, milliseconds) => `개체명 ${count}개, ${milliseconds}ms`,
    failed: (reason) => `모델을 읽지 못했습니다: ${reason}`,
    unread: (reason) => `이 글은 읽지 못했습니다: ${reason}`,
    other: "English",
  },
  en: {
    heading: "Names in a text",
    about: "Finds names in Korean text. The model runs within this browser, and what you type is sent nowhere.",
    text: "Text",
    example: "손흥민은 춘천에서 태어났다.",
    loading: "Loading the model…",
    none: "No name was found.",
    found: (count, milliseconds) => `${count} ${count === 1 ? "name" : "names"} in ${milliseconds} ms`,
    failed: (reason) => `The model could not be loaded: ${reason}`,
    unread: (reason) => `This text could not be read: ${reason}`,
    other: "한국어",
  },
};
